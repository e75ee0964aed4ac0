/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A thread for work that nobody's query waits for: loading, keeping. It takes no signals, and gives
 * way to the workers where both want the same CPU.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Starts run(ctx); false if no thread could be had. The caller joins it. */
bool background_start(pthread_t *thread, void *(*run)(void *), void *ctx);
