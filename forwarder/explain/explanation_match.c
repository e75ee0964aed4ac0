/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Matches in words (see explanation_match.h). A ticket is a text of the order and goes through
 * plain_text as all of them do.
 */
#include "forwarder/explain/explanation_match.h"

#include "forwarder/explain/explanation.h"
#include "forwarder/explain/plain_text.h"
#include "forwarder/generation/generation.h"

#define TICKET_MAX 128

/* The suffix of the name that matched. */
static char *name_text(const struct explanation *explanation, const struct policy_match *match,
                       char out[static DNAME_TEXT_MAX])
{
    struct dname matched;
    dname_suffix(explanation->name, match->labels, &matched);
    return dname_format(&matched, out);
}

char *explanation_match_text(const struct explanation *explanation,
                             const struct policy_match *match, char out[static DNAME_TEXT_MAX])
{
    char name[DNAME_TEXT_MAX];
    switch (match->trigger) {
    case POLICY_NAME:
    case POLICY_ANY_TLD:
        break;
    case POLICY_CLIENT:
    case POLICY_ANSWER:
        return network_format(&match->network, out);
    }
    name_text(explanation, match, name);
    snprintf(out, DNAME_TEXT_MAX, "%s%.1000s", match->below ? "*." : "", name);
    return out;
}

/* The label of any-tld that matched: the first one of the name. */
static char *label_text(const struct explanation *explanation, const struct policy_match *match,
                        char out[static DNAME_TEXT_MAX])
{
    struct dname name;
    dname_suffix(explanation->name, match->labels, &name);
    name.size = (uint8_t)(name.wire[0] + 2U);
    name.labels = 1;
    name.wire[name.size - 1] = 0;
    return dname_format(&name, out);
}

static void print_ticket(const char *before, const struct policy_match *match, const char *after,
                         FILE *out)
{
    char ticket[TICKET_MAX];
    if (match->ticket != NULL) {
        fprintf(out, "%sticket %s%s", before, plain_text(match->ticket, ticket, sizeof ticket),
                after);
    }
}

void explanation_match_print(const struct explanation *explanation,
                             const struct policy_match *match, FILE *out)
{
    char text[DNAME_TEXT_MAX];
    char label[DNAME_TEXT_MAX];
    explanation_match_text(explanation, match, text);
    switch (match->trigger) {
    case POLICY_NAME:
        fprintf(out, "names %s%s", match->exact ? "exactly " : "", text);
        break;
    case POLICY_ANY_TLD:
        fprintf(out, "names %s under any public suffix, here %s",
                label_text(explanation, match, label), text);
        break;
    case POLICY_CLIENT:
        fprintf(out, "blocks every name for clients in %s", text);
        break;
    case POLICY_ANSWER:
        fprintf(out, "blocks answers with an address in %s", text);
        break;
    }
    print_ticket(" (", match, ")", out);
}

void explanation_match_describe(const struct explanation *explanation,
                                const struct policy_match *match, FILE *out)
{
    char text[DNAME_TEXT_MAX];
    bool is_name = match->trigger == POLICY_NAME;
    if (is_name && match->below) {
        fprintf(out, "names everything below %s", name_text(explanation, match, text));
        print_ticket(", ", match, "", out);
    } else if (is_name) {
        fprintf(out, "names %s%s", name_text(explanation, match, text),
                match->exact ? " alone" : " and everything below it");
        print_ticket(", ", match, "", out);
    } else {
        explanation_match_print(explanation, match, out);
    }
}

static const struct order *order_of(const struct explanation *explanation,
                                    const struct policy_match *match)
{
    return policy_order(explanation->generation->policy, match->order);
}

int64_t explanation_match_since(const struct explanation *explanation,
                                const struct policy_match *match)
{
    int64_t since = order_of(explanation, match)->effective;
    return match->term != NULL && match->term->effective > since ? match->term->effective : since;
}

int64_t explanation_match_until(const struct explanation *explanation,
                                const struct policy_match *match)
{
    int64_t until = order_of(explanation, match)->end;
    return match->term != NULL && match->term->end < until ? match->term->end : until;
}
