// Package events tells webhooks what happens to services: the events of API Management as Azure Event Grid sends them
// (https://learn.microsoft.com/azure/event-grid/event-schema-api-management), and a few of ours.
//
// # Where events come from
//
// The change log of a service is the outbox. A [Broker] reads it from a number that it keeps in the store, makes events of
// the changes and puts a delivery for each subscription that wants them into the store, in the transaction that moves the
// number on: nothing is left out and nothing comes twice. What is no change of a resource, such as a token that expires, is
// put there by [Broker.Raise].
//
// # How they get away
//
// Deliveries are documents. One that an endpoint has taken is deleted; one that it has not taken is tried again by Event
// Grid's schedule until its time or its attempts are used up, and goes to the dead letters or is dropped then. A crash
// between the answer of an endpoint and the deletion makes the event come twice: it is delivered at least once.
//
// Several replicas on one database take turns: one of them, which holds a lease in the store, reads the logs and delivers.
//
// # Subscriptions
//
// [Broker.ServeExtension] serves {scope}/providers/Microsoft.EventGrid/eventSubscriptions with the bodies of Event Grid's
// management API. Everything that the package keeps is in a log of its own, that of the name [logName], so that neither
// services nor their snapshots notice.
package events
