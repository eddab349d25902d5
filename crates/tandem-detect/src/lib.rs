//! Watches the stream: rules to detections, with durable state.
