/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which socket of a group the kernel chooses (see socket_group.h), by a filter that needs no
 * privilege.
 */
#include "forwarder/server/socket_group.h"

#include <linux/filter.h>
#include <sys/socket.h>

bool socket_group_narrow(int descriptor, unsigned count)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_RANDOM)),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) ==
           0;
}

void socket_group_widen(int descriptor)
{
    int unused = 0;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused);
}
