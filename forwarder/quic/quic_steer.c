/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Socket options (see quic_steer.h).
 */
#include "forwarder/quic/quic_steer.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "forwarder/quic/quic_id.h"

#define LONG_HEADER 0x80U

/* Where the connection ID begins in a datagram (RFC 9000 section 17): after the first octet of a
 * short header; after version and length of the ID in a long one. */
#define SHORT_ID 1U
#define LONG_ID 6U

bool quic_steer(int descriptor, unsigned workers)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, LONG_HEADER, 0, 2),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, LONG_ID),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SHORT_ID),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, QUIC_ID_WORKERS_MAX - 1),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) ==
           0;
}

bool quic_steer_whole(int descriptor, bool ipv6)
{
    const int ipv4_value = IP_PMTUDISC_PROBE;
    const int ipv6_value = IPV6_PMTUDISC_PROBE;
    if (ipv6) {
        return setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &ipv6_value,
                          sizeof ipv6_value) == 0;
    }
    return setsockopt(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &ipv4_value, sizeof ipv4_value) == 0;
}
