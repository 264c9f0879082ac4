// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { isKeyCall, wrapPlatform } from './calls.ts'

/** How a call fails: nothing was done, or it was done and nobody learnt of it. */
export type Fault = 'not-applied' | 'applied-unknown'

/** Says for the n-th call (from 0) whether and how it fails. */
export type FaultPlan = (index: number, name: string) => Fault | null

/** A platform whose calls fail as planned, with STORE_UNAVAILABLE or KEY_UNAVAILABLE; `calls` is the trace so far. */
export function withFaults(platform: Platform): {
  readonly platform: Platform
  readonly calls: () => readonly string[]
  readonly plan: (next: FaultPlan) => void
} {
  let calls: string[] = []
  let current: FaultPlan = noFault
  return {
    platform: wrapPlatform(platform, async (name, act) => {
      const fault = current(calls.length, name)
      calls.push(name)
      if (fault === 'not-applied') throw unavailable(name)
      const result = await act()
      if (fault === 'applied-unknown') throw unavailable(name)
      return result
    }),
    calls: () => calls,
    plan: (next) => {
      calls = []
      current = next
    },
  }
}

/** A plan that fails exactly the k-th call. */
export function failAt(k: number, fault: Fault): FaultPlan {
  return (index) => (index === k ? fault : null)
}

function noFault(): null {
  return null
}

function unavailable(name: string): AmpereError {
  return isKeyCall(name)
    ? new AmpereError('KEY_UNAVAILABLE', 'the key cannot be used now')
    : new AmpereError('STORE_UNAVAILABLE', 'the store does not answer')
}
