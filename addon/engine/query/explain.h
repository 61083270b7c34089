// How a query was run, for people.
#pragma once

#include "hypha/types.h"
#include "query/index_planner.h"
#include "query/planner.h"

namespace hypha {

// The reply with `explanation` set, as JSON {plan, index, exact, order, examined, returned, sql}, and without its rows.
// `sql` has ? where values are bound.
QueryReply Explain(const Plan& plan, QueryReply reply);
QueryReply Explain(const IndexPlan& plan, QueryReply reply);
// Of a query that no row can answer: a namespace without entries, a limit of 0.
QueryReply ExplainNothing();

}  // namespace hypha
