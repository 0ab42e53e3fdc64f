#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: nested.py run CGROUP UID LEVELS NAME COMMAND...
       nested.py remove CGROUP

run: makes LEVELS cgroups in one another below the directory CGROUP, as the user UID, each called NAME. Moves itself to
the innermost and becomes COMMAND, as that user. remove: removes all cgroups below CGROUP, in which nothing may run any
more. Paths may be longer than any path can be: only descriptors are used.
"""
import os
import sys


def run(cgroup, uid, levels, name, command):
    fd = os.open(cgroup, os.O_RDONLY)
    os.seteuid(uid)
    for _ in range(levels):
        os.mkdir(name, dir_fd=fd)
        fd = os.open(name, os.O_RDONLY, dir_fd=fd)
    os.seteuid(0)
    with open("cgroup.procs", "w", opener=lambda path, flags: os.open(path, flags, dir_fd=fd)) as procs:
        procs.write("0")
    os.setuid(uid)
    os.execv(command[0], command)


def remove(fd):
    for name in [entry.name for entry in os.scandir(fd) if entry.is_dir()]:
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        remove(below)
        os.close(below)
        os.rmdir(name, dir_fd=fd)


if sys.argv[1] == "run":
    run(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6:])
else:
    remove(os.open(sys.argv[2], os.O_RDONLY))
