// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { SamplingDecision } from '@opentelemetry/sdk-trace'
import { partSampler } from '#functions/host/otel/sampler.ts'
import { remoteParent } from '#functions/host/otel/trace-parent.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('the trace that a caller says its request belongs to', () => {
  it('is taken over when it is well formed, whatever its flags say', () => {
    // The example of W3C Trace Context, section 3.2.2.5.
    for (const flags of ['00', '01', 'ff'])
      expect(remoteParent(`00-${TRACE}-${SPAN}-${flags}`)).toEqual({
        traceId: TRACE,
        spanId: SPAN,
        traceFlags: 0,
        isRemote: true,
      })
  })

  it.each([
    ['none', null],
    ['empty', ''],
    ['another version', `01-${TRACE}-${SPAN}-01`],
    ['the version that is forbidden', `ff-${TRACE}-${SPAN}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['more behind it', `00-${TRACE}-${SPAN}-01-x`],
    ['space around it', ` 00-${TRACE}-${SPAN}-01`],
    ['several of them', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a line break', `00-${TRACE}-${SPAN}-01\n`],
    ['cut', `00-${TRACE}-${SPAN}`],
  ])('is dropped when it is %s', (_, header) => {
    expect(remoteParent(header)).toBeNull()
  })
})

describe('what is traced', () => {
  const decide = (requests: number, kind: SpanKind, flags: number | null, isRemote: boolean) => {
    const parent = { traceId: TRACE, spanId: SPAN, traceFlags: flags ?? 0, isRemote }
    const context = flags === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    return partSampler(requests, 0).shouldSample(context, TRACE, '', kind, {}, []).decision
  }
  const [yes, no] = [SamplingDecision.RECORD_AND_SAMPLED, SamplingDecision.NOT_RECORD]

  it('is decided here for whoever calls, with or without a flag', () => {
    for (const flags of [null, 0, 1]) {
      expect(decide(1, SpanKind.SERVER, flags, true)).toBe(yes)
      expect(decide(0, SpanKind.SERVER, flags, true)).toBe(no)
    }
  })

  it('is whole: what happens inside a request follows it, and acts have their own part', () => {
    for (const kind of [SpanKind.SERVER, SpanKind.CLIENT, SpanKind.INTERNAL]) {
      expect(decide(0, kind, 1, false)).toBe(yes)
      expect(decide(1, kind, 0, false)).toBe(no)
    }
    expect(decide(1, SpanKind.INTERNAL, null, false)).toBe(no)
  })
})
