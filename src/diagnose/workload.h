/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_DIAGNOSE_WORKLOAD_H
#define BRAMBLE_DIAGNOSE_WORKLOAD_H

#include <stddef.h>

/*
 * How much of a pod's name is its workload's, where Kubernetes was not asked. The
 * controllers append to the name: a ReplicaSet's and a DaemonSet's pods have 5 random characters,
 * those of a Deployment the template's hash before them, of a StatefulSet a number. Random
 * characters are those of k8s.io/apimachinery's util/rand: no vowels, no 0, 1, 3.
 */
size_t workload_name_len(const char *pod);

#endif
