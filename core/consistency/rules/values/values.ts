// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import type { Analyte } from '../../knowledge.ts'
import { valueInUnit, whyNotAdult } from '../../read/comparable.ts'
import type { Measurement } from '../../read/measurement.ts'
import { breaks, HOLDS, notAssessed, type Outcome, type ResourceCheck, type Rule } from '../../rule.ts'
import type { Facet, Situation } from '../../situation.ts'

/** Judges each measured value of a known analyte. */
function eachValue(
  judge: (reading: Reading, measurement: Measurement, analyte: Analyte, situation: Situation) => Outcome,
  reads: readonly Facet[] = [],
): ResourceCheck {
  return {
    scope: 'resource',
    types: ['Observation'],
    reads,
    judge: (reading, situation) => {
      const outcomes: Outcome[] = []
      for (const measurement of reading.measurements) {
        if (measurement.analyte) outcomes.push(judge(reading, measurement, measurement.analyte, situation))
      }
      return outcomes
    },
  }
}

function outside(range: readonly [number, number] | null, value: number): boolean {
  return range !== null && (value < range[0] || value > range[1])
}

/** Judges values of adults that could be expressed in the unit of the analyte's limits. */
function eachAdultValue(
  judge: (reading: Reading, measurement: Measurement, analyte: Analyte, value: number) => Outcome,
): ResourceCheck {
  return eachValue(
    (reading, measurement, analyte, situation) => {
      if (analyte.hard === null) return notAssessed('an analyte without limits')
      const value = valueInUnit(measurement)
      if (typeof value === 'string') return notAssessed(value)
      const reason = whyNotAdult(reading.event, situation)
      return reason === null ? judge(reading, measurement, analyte, value) : notAssessed(reason)
    },
    ['birth'],
  )
}

/** A value as it was stated, and how it was understood where that differs. */
function inWords({ value, unit }: Measurement, analyte: Analyte, converted: number): string {
  return unit === analyte.ucum ? '' : ` ${value} ${unit} are ${round(converted)} ${analyte.ucum}.`
}

const hardRange: Rule = {
  id: 'R20',
  kahn: 'plausibility',
  severity: 'error',
  review: 'proposed',
  rationale: 'A value lies where no living person has it',
  needs: 'no value of an adult with known limits',
  checks: [
    eachAdultValue((reading, measurement, analyte, value) => {
      // Below zero is R22's matter.
      if (!outside(analyte.hard, value) || measurement.value < 0) return HOLDS
      return breaks({
        title: `${analyte.name} ${measurement.value} ${measurement.unit} is not credible (${reading.item.source})`,
        explanation: `Credible values lie between ${analyte.hard?.join(' and ')} ${analyte.ucum}.${inWords(measurement, analyte, value)} The number or its unit is probably wrong.`,
        evidence: [cite(reading.item, measurement.pointer)],
      })
    }),
  ],
}

const softRange: Rule = {
  id: 'R21',
  kahn: 'plausibility',
  severity: 'info',
  review: 'proposed',
  rationale: 'A value is unusual',
  needs: 'no value of an adult with known limits',
  checks: [
    eachAdultValue((reading, measurement, analyte, value) => {
      if (outside(analyte.hard, value) || !outside(analyte.soft, value)) return HOLDS
      return breaks({
        title: `${analyte.name} ${measurement.value} ${measurement.unit} is unusual (${reading.item.source})`,
        explanation: `Most values lie between ${analyte.soft?.join(' and ')} ${analyte.ucum}.${inWords(measurement, analyte, value)} It may be right.`,
        evidence: [cite(reading.item, measurement.pointer)],
      })
    }),
  ],
}

const negative: Rule = {
  id: 'R22',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'A quantity that cannot be negative is',
  needs: 'no value of a known analyte',
  checks: [
    eachValue((reading, measurement, analyte) => {
      if (measurement.value >= 0) return HOLDS
      return breaks({
        title: `Negative ${analyte.name} (${reading.item.source})`,
        explanation: 'No living person has a negative value of it.',
        evidence: [cite(reading.item, measurement.pointer)],
      })
    }),
  ],
}

const unitKind: Rule = {
  id: 'R24',
  kahn: 'conformance',
  severity: 'error',
  review: 'structural',
  rationale: 'A unit measures something else than the analyte',
  needs: 'no value of a known analyte with a known unit',
  checks: [
    eachValue((reading, measurement, analyte) => {
      const { inUnit, unit } = measurement
      if (inUnit === 'missing') return notAssessed('no unit')
      if (inUnit === 'unknown') return notAssessed('unit unknown')
      if (inUnit !== 'of another kind') return HOLDS
      return breaks({
        title: `${analyte.name} in ${unit} (${reading.item.source})`,
        explanation: `${analyte.name} is measured in ${analyte.ucum} or a unit of the same kind; ${unit} measures something else.`,
        evidence: [cite(reading.item, measurement.pointer)],
      })
    }),
  ],
}

const unitMissing: Rule = {
  id: 'R24b',
  kahn: 'completeness',
  severity: 'warn',
  review: 'structural',
  rationale: 'A measured value has no unit',
  needs: 'no value of a known analyte',
  checks: [
    eachValue((reading, measurement, analyte) => {
      if (measurement.inUnit !== 'missing') return HOLDS
      return breaks({
        title: `${analyte.name} without a unit (${reading.item.source})`,
        explanation: 'Without its unit the number cannot be compared with others.',
        evidence: [cite(reading.item, measurement.pointer)],
      })
    }),
  ],
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

export const VALUE_RULES: readonly Rule[] = [hardRange, softRange, negative, unitKind, unitMissing]
