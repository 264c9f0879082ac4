// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import { askingFailed } from '#core/ports/language-model.ts'
import type { Platform } from '#core/ports/needs.ts'
import { isKeyCall, isModelCall, wrapPlatform } from './calls.ts'

/**
 * How a call fails: nothing was done; or it was done and nobody learnt of it; or it is done much later, as when a
 * request that timed out waits in a network: whatever it compares, it compares then.
 */
export type Fault = 'not-applied' | 'applied-unknown' | 'delayed'

/** Says for the n-th call (from 0) whether and how it fails. */
export type FaultPlan = (index: number, name: string) => Fault | null

/**
 * A platform whose calls fail as planned, with STORE_UNAVAILABLE, KEY_UNAVAILABLE or UPSTREAM_FAILED; `calls` is the trace so far. What
 * was delayed is done by `deliver`, in order, and nobody learns its outcome; bytes that were given must stay as they are
 * until then.
 */
export function withFaults(platform: Platform): {
  readonly platform: Platform
  readonly calls: () => readonly string[]
  readonly plan: (next: FaultPlan) => void
  readonly deliver: () => Promise<void>
} {
  let calls: string[] = []
  let current: FaultPlan = noFault
  let delayed: (() => Promise<unknown>)[] = []
  return {
    platform: wrapPlatform(platform, async (name, act) => {
      const fault = current(calls.length, name)
      calls.push(name)
      if (fault === 'delayed') delayed.push(act)
      if (fault === 'not-applied' || fault === 'delayed') throw unavailable(name)
      const result = await act()
      if (fault === 'applied-unknown') throw unavailable(name)
      return result
    }),
    calls: () => calls,
    plan: (next) => {
      calls = []
      current = next
    },
    deliver: async () => {
      const due = delayed
      delayed = []
      for (const act of due) await act()
    },
  }
}

/** A plan that fails exactly the k-th call. */
export function failAt(k: number, fault: Fault): FaultPlan {
  return (index) => (index === k ? fault : null)
}

/**
 * A plan for a process that is killed after its k-th call: nothing that it asks for later is done. Its caller sees errors
 * where a killed one would see nothing, which is the same as long as it is not used again and does nothing on an error
 * but give up.
 */
export function killAfter(k: number): FaultPlan {
  return (index) => (index > k ? 'not-applied' : null)
}

function noFault(): null {
  return null
}

function unavailable(name: string): AmpereError {
  if (isModelCall(name)) return askingFailed('unreachable')
  return isKeyCall(name)
    ? new AmpereError('KEY_UNAVAILABLE', 'the key cannot be used now')
    : new AmpereError('STORE_UNAVAILABLE', 'the store does not answer')
}
