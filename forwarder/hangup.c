/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Holding one signal back (see hangup.h).
 */
#include "forwarder/hangup.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static void change(int how)
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    (void)pthread_sigmask(how, &hangup, NULL);
}

void hangup_hold(void)
{
    change(SIG_BLOCK);
}

void hangup_let_in(void)
{
    change(SIG_UNBLOCK);
}
