/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Options of sockets (see socket_state.h). The kernel doubles what SO_RCVBUF asks for, for what it
 * keeps beside the octets (socket(7)), and tells the double.
 */
#include "forwarder/socket_state.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

void socket_state_ask(int descriptor, size_t receive_buffer)
{
    int size = (int)receive_buffer;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
}

/* Of a socket that listens the kernel tells so how many are in its queue. */
static uint32_t waiting(int descriptor)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        info.tcpi_state != TCP_LISTEN) {
        return 0;
    }
    return info.tcpi_unacked;
}

struct socket_state socket_state_read(int descriptor)
{
    uint32_t values[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof values;
    (void)getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, values, &size);
    return (struct socket_state){
        .receive_buffer = values[SK_MEMINFO_RCVBUF] / 2,
        .drops = values[SK_MEMINFO_DROPS],
        .waiting = waiting(descriptor),
    };
}
