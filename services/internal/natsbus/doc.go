// Package natsbus is the bus between the rooms: an embedded or remote NATS
// server with JetStream, the streams that carry input, output, timers and
// public events, and Watermill's Publisher and Subscriber on top of them.
//
//	stream ──► pull ──► lane of key a ──┐
//	                ├─► lane of key b ──┼──► Router ──► handler ──► ack
//	                └─► lane of key c ──┘        error ──► wait in the lane ──► … ──► poison.<subject>
//
// Watermill's own NATS adapter keeps one message in flight, or loses the order.
// Here every key has a lane of its own: its messages are handled strictly in
// order, one at a time, and a lane that waits for its next attempt holds
// neither a handler slot nor a payload, so it delays nobody else.
//
// Delivery is at least once: every handler must be idempotent.
package natsbus
