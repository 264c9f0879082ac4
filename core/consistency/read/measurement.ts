// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../../record/fhir/model.ts'
import type { Analyte, Knowledge } from '../knowledge.ts'
import { codingsOf, LOINC, textOf } from './codes.ts'
import { convert, unitOf, type Unit } from './units.ts'

/** Why a value cannot be expressed in its analyte's unit. */
export type UnitGap = 'missing' | 'unknown' | 'of another kind' | 'without a molar mass'

/** One measured value of an Observation. */
export interface Measurement {
  readonly loinc: string
  readonly analyte: Analyte | null
  readonly value: number
  /** Set where only a bound is stated, as in "< 5". */
  readonly comparator: string | null
  /** The unit as stated, in UCUM where it is given. */
  readonly unit: string
  /** The value in the analyte's unit, or what stands in the way; null for other LOINC codes. */
  readonly inUnit: number | UnitGap | null
  /** Leads to the Quantity (RFC 6901). */
  readonly pointer: string
}

const UCUM = 'http://unitsofmeasure.org'
const NONE: readonly Measurement[] = []

/** The measured values of an Observation about the patient; none where it is about something else. */
export function measurementsOf(resource: FhirResource, knowledge: Knowledge): readonly Measurement[] {
  if (Array.isArray(resource['focus']) || isAboutOthers(resource['subject'])) return NONE
  const components = resource['component']
  const whole = measured(resource['code'], resource['valueQuantity'], '/valueQuantity', knowledge)
  if (!Array.isArray(components)) return whole ? [whole] : NONE
  const parts = (components as (Record<string, unknown> | null)[]).flatMap(
    (part, i) =>
      measured(part?.['code'], part?.['valueQuantity'], `/component/${i}/valueQuantity`, knowledge) ?? [],
  )
  return whole ? [whole, ...parts] : parts
}

function measured(
  code: unknown,
  quantity: unknown,
  pointer: string,
  knowledge: Knowledge,
): Measurement | null {
  if (typeof quantity !== 'object' || quantity === null) return null
  const stated = quantity as Record<string, unknown>
  const { value } = stated
  if (typeof value !== 'number') return null
  const codes = codingsOf(code).filter(({ system }) => system === LOINC)
  const chosen = codes.find((coding) => knowledge.analytes.has(coding.code)) ?? codes[0]
  if (!chosen) return null
  const analyte = knowledge.analytes.get(chosen.code) ?? null
  const comparator = typeof stated['comparator'] === 'string' ? stated['comparator'] : null
  const unit = statedUnit(stated)
  const inUnit = analyte === null ? null : inUnitOf(analyte, value, unit)
  return { loinc: chosen.code, analyte, value, comparator, unit, inUnit, pointer }
}

/** UCUM code first; a code of another system is only a spelling, and the text is as good. */
function statedUnit({ system, code, unit }: Record<string, unknown>): string {
  const isUcum = system === undefined || system === UCUM
  return isUcum ? textOf(code) || textOf(unit) : textOf(unit) || textOf(code)
}

/** A value in the unit in which its analyte's limits are given. */
export function inUnitOf(analyte: Analyte, value: number, text: string): number | UnitGap {
  if (text === '') return 'missing'
  if (text === analyte.ucum) return value
  const unit = unitOf(text)
  if (!unit) return 'unknown'
  // Consensus master equation: NGSP % = 0.09148 x IFCC mmol/mol + 2.152.
  if (analyte.ifcc && /^mmol\/mol\b/.test(text)) return value * 0.09148 + 2.152
  if (unit.kind === analyte.unit.kind) return convert(value, unit, analyte.unit)
  return bySubstance(analyte, value, unit)
}

const MASS_PER_VOLUME = unitOf('mg/dL')
const AMOUNT_PER_VOLUME = unitOf('mmol/L')

function bySubstance(analyte: Analyte, value: number, unit: Unit): number | UnitGap {
  const kinds = [unit.kind, analyte.unit.kind]
  const [mass, amount] = [MASS_PER_VOLUME, AMOUNT_PER_VOLUME]
  if (!mass || !amount || !kinds.includes(mass.kind) || !kinds.includes(amount.kind)) return 'of another kind'
  const { mgPerMmol } = analyte
  if (mgPerMmol === null) return 'without a molar mass'
  return unit.kind === amount.kind
    ? convert(convert(value, unit, amount) * mgPerMmol, mass, analyte.unit)
    : convert(convert(value, unit, mass) / mgPerMmol, amount, analyte.unit)
}

function isAboutOthers(subject: unknown): boolean {
  const { reference } = (subject ?? {}) as { reference?: unknown }
  return (
    typeof reference === 'string' && /(?:^|\/)(?:Group|Device|Location|RelatedPerson)\/[^/]+$/.test(reference)
  )
}
