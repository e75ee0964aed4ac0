/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plans of what is listened to, on ports that are free, and what was wrong with the last ones.
 */
#pragma once

#include "forwarder/config/config_listen.h"
#include "forwarder/server/listen_plan.h"
#include "forwarder/server/listen_rows.h"
#include "forwarder/worker.h"
#include "test/config_text.h"
#include "test/fake_server.h"

/* Ports that the kernel gives to nobody who does not name them: other tests run meanwhile. */
#define PORT_FIRST 10000U
#define PORTS 20000U

/* One that is free, another one each time and in each process. */
static inline in_port_t free_port(void)
{
    static unsigned taken;
    struct sockaddr_in any = {.sin_family = AF_INET};
    bool bound = false;
    for (unsigned i = 0; i < PORTS && !bound; i++) {
        unsigned port = PORT_FIRST + ((unsigned)getpid() * 16U + taken++) % PORTS;
        int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        any.sin_port = htons((in_port_t)port);
        bound = bind(probe, (const struct sockaddr *)&any, sizeof any) == 0;
        close(probe);
    }
    ck_assert(bound);
    return any.sin_port;
}

/* The configuration, with another port for every address that it lists: one that is free. */
static inline struct config *configure(const char *listen)
{
    char text[TEXT_MAX];
    const in_port_t port = free_port();
    snprintf(text, sizeof text, "%s" UPSTREAM FILES, listen);
    struct config *config = parse_good(text);
    for (size_t i = 0; i < config->listen_count; i++) {
        struct sockaddr_in *address = (struct sockaddr_in *)&config->listen[i].address.sockaddr;
        address->sin_port = port; /* where sin6_port is, too */
    }
    return config;
}

/* The configuration, with the port of another one for every address. */
static inline struct config *configure_as(const char *listen, const struct config *other)
{
    struct config *config = configure(listen);
    for (size_t i = 0; i < config->listen_count; i++) {
        ((struct sockaddr_in *)&config->listen[i].address.sockaddr)->sin_port =
            ((const struct sockaddr_in *)&other->listen[0].address.sockaddr)->sin_port;
    }
    return config;
}

static struct listen_rows *rows;
static struct problem_list problems;

static inline void set_up(void)
{
    rows = listen_rows_new();
    ck_assert_ptr_nonnull(rows);
    problem_list_init(&problems);
}

static inline void tear_down(void)
{
    problem_list_fini(&problems);
    listen_rows_free(rows);
}

/* A whole plan for so many workers. */
static inline struct listen_plan *plan_for(struct config *config, unsigned workers,
                                           const struct listen_plan *before)
{
    char why[WHY_MAX] = "";
    config->workers = workers;
    struct listen_plan *plan = listen_plan_make(rows, config, before, &problems);
    ck_assert_msg(plan != NULL, "%s", problems.count > 0 ? problems.items[0].text : "");
    ck_assert_msg(listen_plan_complete(plan, NULL, why) == NULL, "%s", why);
    return plan;
}
