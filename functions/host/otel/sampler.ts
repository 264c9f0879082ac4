// SPDX-License-Identifier: Apache-2.0
import { SpanKind, trace, TraceFlags } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace'

/** Of acts that nobody asked for, the part that is traced: a look at the log each second has 66 calls, so one each minute is enough. */
export const ACTS_RATIO = 1 / 60

/**
 * Decides for a whole trace at its first span in this process. What the caller's flag says is not obeyed: else whoever
 * sends requests could have all of them exported, or none.
 * @param requests the part of requests that is traced, from 0 to 1
 */
export function partSampler(requests: number, acts: number = ACTS_RATIO): Sampler {
  const [on, off] = [new AlwaysOnSampler(), new AlwaysOffSampler()]
  const [ofRequests, ofActs] = [new TraceIdRatioBasedSampler(requests), new TraceIdRatioBasedSampler(acts)]
  return {
    shouldSample: (context, traceId, _, kind) => {
      const parent = trace.getSpanContext(context)
      if (!parent || parent.isRemote === true)
        return (kind === SpanKind.SERVER ? ofRequests : ofActs).shouldSample(context, traceId)
      return (parent.traceFlags & TraceFlags.SAMPLED) === 0 ? off.shouldSample() : on.shouldSample()
    },
    toString: () => `PartSampler{${requests},${acts}}`,
  }
}
