// SPDX-License-Identifier: Apache-2.0
import type { Rule } from '../rule.ts'
import { COMPUTED_RULES } from './computed.ts'
import { CONTRADICTION_RULES } from './contradictions.ts'
import { DUPLICATE_RULES } from './duplicates.ts'
import { IDENTITY_RULES } from './identity.ts'
import { REFERENCE_RULES } from './references.ts'
import { TIME_RULES } from './time.ts'
import { VALUE_RULES } from './values.ts'

/** Every rule that is shipped. Doses and interactions are left out on purpose: no treatment advice. */
export const RULES: readonly Rule[] = [
  ...IDENTITY_RULES,
  ...DUPLICATE_RULES,
  ...VALUE_RULES,
  ...COMPUTED_RULES,
  ...TIME_RULES,
  ...CONTRADICTION_RULES,
  ...REFERENCE_RULES,
]
