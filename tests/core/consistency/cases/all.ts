// SPDX-License-Identifier: Apache-2.0
import type { Case } from '../small-records.ts'
import { ALLERGY_CASES } from './allergies.ts'
import { COMPUTED_CASES } from './computed.ts'
import { CONDITION_CASES } from './conditions.ts'
import { DUPLICATE_CASES } from './duplicates.ts'
import { IDENTITY_CASES } from './identity.ts'
import { MEDICINE_CASES } from './medicines.ts'
import { ORDER_CASES } from './orders.ts'
import { SLIP_CASES } from './slips.ts'
import { TIME_CASES } from './time.ts'
import { VACCINE_CASES } from './vaccines.ts'
import { VALUE_CASES } from './values.ts'

/** Records for every rule. */
export const ALL_CASES: readonly Case[] = [
  ...IDENTITY_CASES,
  ...DUPLICATE_CASES,
  ...MEDICINE_CASES,
  ...ORDER_CASES,
  ...VACCINE_CASES,
  ...VALUE_CASES,
  ...SLIP_CASES,
  ...COMPUTED_CASES,
  ...TIME_CASES,
  ...ALLERGY_CASES,
  ...CONDITION_CASES,
]
