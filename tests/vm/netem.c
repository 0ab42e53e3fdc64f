/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: netem DEVICE DELAY_US LOSS_PER_MILLE
 *
 * What "tc qdisc replace dev DEVICE root netem delay ... loss ..." and "ip link set DEVICE
 * gso_max_segs 1" do: busybox knows neither. So a packet is one segment, and what is
 * lost are segments. Layout of the messages: linux/rtnetlink.h, linux/if_link.h and
 * linux/pkt_sched.h. Exits with 1, and says why, where the kernel has no netem.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_PACKETS 10000 /* on their way */

struct request {
	struct nlmsghdr header;
	char rest[512]; /* a struct tcmsg or ifinfomsg, and attributes */
};

/* Appends an attribute; returns where its content is. */
static void *add(struct request *request, unsigned short type, const void *content, size_t size)
{
	struct rtattr *attribute =
		(void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), content, size);
	request->header.nlmsg_len =
		NLMSG_ALIGN(request->header.nlmsg_len) + (unsigned int)RTA_SPACE(size);
	return RTA_DATA(attribute);
}

/* The kernel's answer: 0 or a negative errno. */
static int ask(struct request *request)
{
	char answer[4096];
	struct nlmsghdr *header = (void *)answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = -errno;

	if (fd < 0)
		return err;
	if (send(fd, request, request->header.nlmsg_len, 0) < 0 ||
	    recv(fd, answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		err = -errno;
	else
		err = header->nlmsg_type == NLMSG_ERROR
			      ? ((struct nlmsgerr *)NLMSG_DATA(header))->error
			      : -EPROTO;
	close(fd);
	return err;
}

static struct request request_of(unsigned short type, int flags, const void *body, size_t size)
{
	struct request request = {
		.header = {.nlmsg_len = (unsigned int)NLMSG_LENGTH(size),
			   .nlmsg_type = type,
			   .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags)},
	};

	memcpy(NLMSG_DATA(&request.header), body, size);
	return request;
}

static int set_segments(int device, unsigned int most)
{
	struct ifinfomsg body = {.ifi_index = device};
	struct request request = request_of(RTM_NEWLINK, 0, &body, sizeof(body));

	add(&request, IFLA_GSO_MAX_SEGS, &most, sizeof(most));
	return ask(&request);
}

static int set_netem(int device, long long delay_ns, unsigned long long loss_per_mille)
{
	struct tcmsg body = {.tcm_ifindex = device, .tcm_parent = TC_H_ROOT};
	struct request request =
		request_of(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
	struct tc_netem_qopt options = {.limit = QUEUE_PACKETS};
	struct rtattr *nested;

	options.loss = (unsigned int)(0xffffffffULL * loss_per_mille / 1000);
	add(&request, TCA_KIND, "netem", sizeof("netem"));
	nested = (struct rtattr *)((char *)add(&request, TCA_OPTIONS, &options, sizeof(options)) -
				   RTA_LENGTH(0));
	add(&request, TCA_NETEM_LATENCY64, &delay_ns, sizeof(delay_ns));
	nested->rta_len =
		(unsigned short)((char *)&request + request.header.nlmsg_len - (char *)nested);
	return ask(&request);
}

int main(int argc, char **argv)
{
	int device, err;

	if (argc != 4) {
		fprintf(stderr, "usage: netem DEVICE DELAY_US LOSS_PER_MILLE\n");
		return 2;
	}
	device = (int)if_nametoindex(argv[1]);
	err = set_segments(device, 1);
	if (!err)
		err = set_netem(device, atoll(argv[2]) * 1000, strtoull(argv[3], NULL, 10));
	if (err)
		fprintf(stderr, "netem: %s: %s\n", argv[1], strerror(-err));
	return err ? 1 : 0;
}
