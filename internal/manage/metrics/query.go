package metrics

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Limits of an answer.
const (
	maxPoints = 20_000 // of all series together
	maxSpan   = 93 * 24 * time.Hour
	maxSeries = 1000
)

// intervals are the ones that can be asked for. Shorter ones of Azure's are answered with the shortest that is kept.
var intervals = []struct {
	name string
	step time.Duration
}{
	{"PT15M", 15 * time.Minute}, {"PT30M", 30 * time.Minute}, {"PT1H", time.Hour}, {"PT6H", 6 * time.Hour}, {"PT12H", 12 * time.Hour}, {"P1D", 24 * time.Hour},
}

// query is what a request asks for.
type query struct {
	metrics       []metric
	from, to      time.Time
	interval      string
	step          time.Duration
	aggregations  []string // lower case; empty for each metric's own
	location, api dimension
}

// dimension is what a filter says of one.
type dimension struct {
	only  string // value; empty for all
	split bool   // a series for each
}

func (d dimension) admits(value string) bool { return d.only == "" || strings.EqualFold(d.only, value) }

func (q *query) splits() bool { return q.location.split || q.api.split }

func bad(parameter, format string, a ...any) error {
	return arm.Errorf(arm.CodeInvalidQuery, format, a...).WithTarget(parameter)
}

// parse reads the parameters of a request.
func parse(values url.Values, now time.Time) (*query, error) {
	q := &query{}
	for name := range strings.SplitSeq(arm.Param(values, "metricnames"), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		i := slices.IndexFunc(all(), func(m metric) bool { return strings.EqualFold(m.name, name) })
		if i < 0 {
			return nil, bad("metricnames", "There is no metric '%s'; metricDefinitions lists those that there are.", name)
		}
		q.metrics = append(q.metrics, all()[i])
	}
	if len(q.metrics) == 0 { // the first one, as in Azure
		q.metrics = all()[:1]
	}
	for name := range strings.SplitSeq(strings.ToLower(arm.Param(values, "aggregation")), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.Contains([]string{"average", "count", "maximum", "minimum", "total"}, name) {
			return nil, bad("aggregation", "aggregation has '%s'; it must be some of Average, Count, Maximum, Minimum and Total.", name)
		}
		q.aggregations = append(q.aggregations, name)
	}
	if err := q.parseInterval(arm.Param(values, "interval")); err != nil {
		return nil, err
	}
	if err := q.parseTimespan(arm.Param(values, "timespan"), now); err != nil {
		return nil, err
	}
	return q, q.parseFilter(arm.Param(values, "$filter"))
}

func (q *query) parseInterval(text string) error {
	text = strings.ToUpper(text)
	if text == "" || text == "PT1M" || text == "PT5M" {
		text = intervals[0].name
	}
	for _, i := range intervals {
		if i.name == text {
			q.interval, q.step = i.name, i.step
			return nil
		}
	}
	return bad("interval", "interval is '%s'; it must be PT15M, PT30M, PT1H, PT6H, PT12H or P1D.", text)
}

// parseTimespan reads two moments with a slash between; the last hour by itself. Intervals begin at multiples of their length.
func (q *query) parseTimespan(text string, now time.Time) error {
	from, to := now.Add(-time.Hour), now
	if text != "" {
		first, second, _ := strings.Cut(text, "/")
		var err, err2 error
		from, err = moment(first)
		to, err2 = moment(second)
		if err != nil || err2 != nil || !from.Before(to) {
			return bad("timespan", "timespan is '%s'; it must be two moments of ISO 8601 with a slash between.", text)
		}
	}
	q.from, q.to = from.UTC().Truncate(q.step), to.UTC()
	if end := q.to.Truncate(q.step); !end.Equal(q.to) {
		q.to = end.Add(q.step)
	}
	if span := q.to.Sub(q.from); span > maxSpan || int64(span/q.step)*int64(len(q.metrics)) > maxPoints {
		return bad("timespan", "timespan is too long for its interval.")
	}
	return nil
}

// moment reads one; a plus that was not escaped has become a space.
func moment(text string) (t time.Time, err error) {
	text = strings.ReplaceAll(strings.TrimSpace(text), " ", "+")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}

// parseFilter reads conditions such as Location eq '*' with "and" between: a star makes a series of each value.
func (q *query) parseFilter(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	for condition := range strings.SplitSeq(text, " and ") {
		name, value, ok := strings.Cut(strings.TrimSpace(condition), " eq ")
		value = strings.TrimSpace(value)
		if !ok || len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			return bad("$filter", "$filter has '%s'; conditions are Location eq 'VALUE' and ApiId eq 'VALUE', with '*' for each of them.", condition)
		}
		d := dimension{only: strings.ReplaceAll(value[1:len(value)-1], "''", "'"), split: true}
		if d.only == "*" {
			d.only = ""
		}
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, byLocation):
			q.location = d
		case strings.EqualFold(name, byAPI):
			q.api = d
		default:
			return bad("$filter", "The metrics have no dimension '%s'.", name)
		}
	}
	return nil
}

// add adds a row of usage to the interval of its series.
func (q *query) add(found map[seriesKey]map[int64]*store.UsageSums, row *store.UsageRow) error {
	if !q.location.admits(row.Region) || !q.api.admits(row.API) {
		return nil
	}
	var key seriesKey
	if q.location.split {
		key.location = row.Region
	}
	if q.api.split {
		key.api = row.API
	}
	points := found[key]
	if points == nil {
		if len(found) >= maxSeries {
			return bad("$filter", "There are more than %d values; ask for one of them.", maxSeries)
		}
		points = make(map[int64]*store.UsageSums)
		found[key] = points
	}
	at := time.Unix(row.At, 0).UTC().Truncate(q.step).Unix()
	if points[at] == nil {
		points[at] = new(store.UsageSums)
	}
	points[at].Add(&row.UsageSums)
	return nil
}
