package resources

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// RequestReportRecord is one request, API Management's RequestReportRecordContract. Times are milliseconds, sizes bytes.
type RequestReportRecord struct {
	APIID               string    `json:"apiId"`
	OperationID         string    `json:"operationId"`
	ProductID           string    `json:"productId"`
	UserID              string    `json:"userId"`
	Method              string    `json:"method"`
	URL                 string    `json:"url"`
	IPAddress           string    `json:"ipAddress"`
	BackendResponseCode string    `json:"backendResponseCode"`
	ResponseCode        int       `json:"responseCode"`
	ResponseSize        int64     `json:"responseSize"`
	Timestamp           time.Time `json:"timestamp"`
	Cache               string    `json:"cache"`
	APITime             float64   `json:"apiTime"`
	ServiceTime         float64   `json:"serviceTime"`
	APIRegion           string    `json:"apiRegion"`
	SubscriptionID      string    `json:"subscriptionId"`
	RequestID           string    `json:"requestId"`
	RequestSize         int64     `json:"requestSize"`
}

// reportedRequest is a request as it is stored.
type reportedRequest struct {
	Time         time.Time `json:"time"`
	ID           string    `json:"id"`
	API          string    `json:"api"`
	Operation    string    `json:"operation"`
	Product      string    `json:"product"`
	Subscription string    `json:"subscription"`
	User         string    `json:"user"`
	Method       string    `json:"method"`
	URL          string    `json:"url"`
	CallerIP     string    `json:"ip"`
	Response     int       `json:"response"`
	Backend      int       `json:"backend"`
	Cache        string    `json:"cache"`
	RequestSize  int64     `json:"requestSize"`
	ResponseSize int64     `json:"responseSize"`
	APITime      int64     `json:"apiTime"`     // microseconds
	ServiceTime  int64     `json:"serviceTime"` // microseconds
	Region       string    `json:"region"`
}

// record makes the line of the report. API Management writes a dash for what a request did not have.
func (q *reportedRequest) record() RequestReportRecord {
	const milli = 1000 // microseconds
	dash := func(name string) string { return cmp.Or(name, "-") }
	r := RequestReportRecord{
		APIID: "/apis/" + dash(q.API), ProductID: "/products/" + dash(q.Product), UserID: "/users/" + dash(q.User),
		SubscriptionID: "/subscriptions/" + dash(q.Subscription), Method: q.Method, URL: q.URL, IPAddress: q.CallerIP,
		ResponseCode: q.Response, ResponseSize: q.ResponseSize, RequestSize: q.RequestSize, Timestamp: q.Time, Cache: q.Cache,
		APITime: float64(q.APITime) / milli, ServiceTime: float64(q.ServiceTime) / milli, APIRegion: q.Region, RequestID: q.ID,
	}
	r.OperationID = r.APIID + "/operations/" + dash(q.Operation)
	if q.Backend != 0 {
		r.BackendResponseCode = strconv.Itoa(q.Backend)
	}
	return r
}

// listRequests reports single requests.
func listRequests(x *resource.Reader, service arm.ID) (any, error) {
	fields := usageFields()
	for field, kind := range map[string]arm.FieldKind{
		"method": arm.FieldString, "url": arm.FieldString, "ipAddress": arm.FieldString, "cache": arm.FieldString, "requestId": arm.FieldString,
		"responseCode": arm.FieldNumber, "backendResponseCode": arm.FieldString, "apiTime": arm.FieldNumber, "serviceTime": arm.FieldNumber,
	} {
		fields[field] = kind
	}
	filter, from, to, err := usageFilter(x, fields, false)
	if err != nil {
		return nil, err
	}
	page, aerr := arm.ParsePage(x.Query)
	if aerr != nil {
		return nil, aerr
	}
	list := &collection[RequestReportRecord]{Value: []RequestReportRecord{}}
	err = x.Store().UsageRequests(x.Context(), service.Key(), from, to, func(stored *resource.UsageRequest) error {
		var q reportedRequest
		if err := json.Unmarshal(stored.Body, &q); err != nil {
			return fmt.Errorf("stored request: %w", err)
		}
		r := q.record()
		if !filter.Match(func(field string) any { return r.field(service, &q, field) }) {
			return nil
		}
		if list.Count >= page.Skip && len(list.Value) < page.Top {
			list.Value = append(list.Value, r)
		}
		list.Count++
		return nil
	})
	if err != nil {
		return nil, err
	}
	list.NextLink = page.Next(x.BaseURL, x.Path, x.Query, list.Count)
	return list, nil
}

// field returns a field for $filter.
func (r *RequestReportRecord) field(service arm.ID, q *reportedRequest, field string) any {
	switch field {
	case "timestamp":
		return r.Timestamp
	case "apiRegion":
		return r.APIRegion
	case "method":
		return r.Method
	case "url":
		return r.URL
	case "ipAddress":
		return r.IPAddress
	case "cache":
		return r.Cache
	case "requestId":
		return r.RequestID
	case "responseCode":
		return float64(r.ResponseCode)
	case "backendResponseCode":
		return r.BackendResponseCode
	case "apiTime":
		return r.APITime
	case "serviceTime":
		return r.ServiceTime
	}
	return idForms(service, field, q.API, q.Operation, q.Product, q.Subscription, q.User)
}
