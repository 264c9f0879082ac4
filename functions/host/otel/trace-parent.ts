// SPDX-License-Identifier: Apache-2.0
import { isSpanContextValid, TraceFlags, type SpanContext } from '@opentelemetry/api'

/**
 * The span that a caller says its request belongs to (W3C Trace Context, section 3.2), or null for anything that is not
 * exactly of version 00. So a caller can choose a trace id and the id of a parent, and nothing else: whether its trace
 * is recorded is decided here, and `tracestate`, which is free text, is not read.
 */
export function remoteParent(header: string | null): SpanContext | null {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(header ?? '')
  const [, traceId, spanId] = match ?? []
  if (traceId === undefined || spanId === undefined) return null
  const context = { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true }
  // Ids of zeros only are none.
  return isSpanContextValid(context) ? context : null
}
