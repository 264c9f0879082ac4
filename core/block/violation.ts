// SPDX-License-Identifier: Apache-2.0

/** A broken law: true for ever and for everyone who has the same blocks. A value, not an exception. */
export interface Violation {
  readonly kind: 'violation'
  /** Kebab-case name of the rule, listed in docs/protocol/RULES.md. */
  readonly rule: string
  /** What was found against what was demanded; carries no patient data. */
  readonly detail: string
}

export function violation(rule: string, detail: string): Violation {
  return { kind: 'violation', rule, detail }
}

export function isViolation(value: unknown): value is Violation {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'violation'
}

/** The first violation that one of the checks gives, or null. */
export function firstViolation(checks: readonly (() => Violation | null)[]): Violation | null {
  for (const check of checks) {
    const found = check()
    if (found) return found
  }
  return null
}
