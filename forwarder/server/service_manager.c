/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Telling the service manager (see service_manager.h). A message that cannot be sent is not worth a
 * word: whoever wanted it will say that it did not come.
 */
#include "forwarder/server/service_manager.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "forwarder/monotonic.h"

void service_manager_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_manager_reloading(void)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Loading orders",
                     monotonic_us());
}

void service_manager_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1\nSTATUS=Answering what is in flight");
}

void service_manager_waiting(const char *status, unsigned seconds)
{
    (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=%s", (uint64_t)seconds * 1000000U,
                     status);
}

unsigned service_manager_watchdog_ms(void)
{
    uint64_t usec;
    if (sd_watchdog_enabled(0, &usec) <= 0) {
        return 0;
    }
    uint64_t ms = usec / 1000;
    return ms > UINT32_MAX ? UINT32_MAX : (unsigned)ms;
}

void service_manager_alive(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

void service_manager_keep(int descriptor, const char *name)
{
    char message[256];
    snprintf(message, sizeof message, "FDSTORE=1\nFDNAME=%s", name);
    (void)sd_pid_notify_with_fds(0, 0, message, &descriptor, 1);
}

void service_manager_drop(const char *name)
{
    (void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}
