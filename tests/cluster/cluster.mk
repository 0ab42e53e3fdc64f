# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A real node of Kubernetes: docs/cluster.md. The image is for this machine alone, and in a folder of its own: the
# one of `make image` stays as it is.

CLUSTER_IMAGE = image IMAGE_DIR=$(BUILD)/cluster/image IMAGE_ARCHS=$(shell dpkg --print-architecture)

# CHECKS=30 runs the checks whose names begin with 30; CLUSTER_CACHE is where downloads and programs are kept.
test-cluster: $(BUILD)/tests/spin $(BUILD)/tests/fsyncs ## a real node of Kubernetes 1.20, with the image and deploy/kubernetes (as root; CHECKS=30 for one, CLUSTER_LONG=1)
	+@$(MAKE) --no-print-directory $(CLUSTER_IMAGE)
	@tests/cluster/run $(CHECKS)

# What takes time and no root: downloads, and compiling Kubernetes.
cluster-files: $(BUILD)/tests/spin $(BUILD)/tests/fsyncs
	+@$(MAKE) --no-print-directory $(CLUSTER_IMAGE)
	@tests/cluster/run --prepare

.PHONY: test-cluster cluster-files
