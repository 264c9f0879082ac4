// SPDX-License-Identifier: Apache-2.0
import type { Rule } from '../rule.ts'
import { ALLERGY_RULES } from './care/allergies.ts'
import { COMPUTED_RULES } from './values/computed.ts'
import { CONDITION_RULES } from './care/conditions.ts'
import { DOSE_RULES } from './care/doses.ts'
import { DUPLICATE_RULES } from './record/duplicates.ts'
import { IDENTITY_RULES } from './record/identity.ts'
import { MEDICINE_RULES } from './care/medicines.ts'
import { REFERENCE_RULES } from './record/references.ts'
import { SLIP_RULES } from './values/slips.ts'
import { TIME_RULES } from './record/time.ts'
import { VALUE_RULES } from './values/values.ts'

/** Every rule that is shipped. Doses and interactions are left out on purpose: no treatment advice. */
export const RULES: readonly Rule[] = [
  ...IDENTITY_RULES,
  ...DUPLICATE_RULES,
  ...MEDICINE_RULES,
  ...DOSE_RULES,
  ...VALUE_RULES,
  ...SLIP_RULES,
  ...COMPUTED_RULES,
  ...TIME_RULES,
  ...ALLERGY_RULES,
  ...CONDITION_RULES,
  ...REFERENCE_RULES,
]
