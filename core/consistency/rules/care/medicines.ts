// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { medicineOf, type Medicine } from '../../read/medicine.ts'
import { isBefore } from '../../read/moment.ts'
import {
  check,
  found,
  NOTHING,
  notAssessed,
  notCompared,
  type Lookup,
  type Outcome,
  type Rule,
} from '../../rule.ts'
import { pairsOf, runsOf } from '../runs.ts'
import { besideOthers, compared, comparing, opposed, type Statement } from './statements.ts'

const TYPES = ['MedicationRequest']

function activeMedicine(reading: Reading, lookup: Lookup): Medicine | null {
  const medicine = medicineOf(reading, lookup)
  return medicine?.status === 'active' ? medicine : null
}

const sameIngredient: Rule = {
  id: 'R13',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'proposed',
  rationale: 'The same medicine is active in two institutions',
  needs: 'no active medicines of two institutions with known ingredients',
  checks: [
    {
      scope: 'resource',
      types: TYPES,
      judge: (reading, _situation, lookup) => {
        const medicine = activeMedicine(reading, lookup)
        return medicine && ingredientKey(medicine) === null
          ? [notAssessed('a medicine whose ingredients are not all known')]
          : []
      },
    },
    check<Statement>({
      scope: 'group',
      types: TYPES,
      parts: (reading, lookup) => {
        const medicine = activeMedicine(reading, lookup)
        return medicine && ingredientKey(medicine) !== null
          ? [besideOthers('all', statementOf(medicine))]
          : []
      },
      judge: compared,
    }),
    check<Medicine>({
      scope: 'group',
      types: TYPES,
      parts: (reading, lookup) => {
        const medicine = activeMedicine(reading, lookup)
        const key = medicine ? ingredientKey(medicine) : null
        if (!medicine || key === null) return []
        const at = medicine.authored?.from ?? Number.NEGATIVE_INFINITY
        return [{ key, run: reading.item.source, at, value: medicine }]
      },
      judge: ({ members }) => {
        if (members[0]?.run === members.at(-1)?.run) return NOTHING
        const latest = runsOf(members).map((run) => run.last.value)
        return found(pairsOf(latest).flatMap(([a, b]) => (isOver(a, b) ? [] : [activeTwice(a, b)])))
      },
    }),
  ],
}

/** All ingredients together: a combination is another medicine than one of its parts. */
function ingredientKey({ drug }: Medicine): string | null {
  return drug?.complete === true && drug.ingredients.length > 0 ? drug.ingredients.toSorted().join('+') : null
}

/** True when one was certainly used up before the other was ordered, though it is still listed as active. */
function isOver(a: Medicine, b: Medicine): boolean {
  return endedBefore(a, b) || endedBefore(b, a)
}

function endedBefore(a: Medicine, b: Medicine): boolean {
  return a.until !== null && b.authored !== null && isBefore(a.until, b.authored)
}

function activeTwice(a: Medicine, b: Medicine) {
  const key = ingredientKey(a) ?? ''
  return {
    title: `${key} is active in ${a.reading.item.source} and in ${b.reading.item.source}`,
    explanation: 'Both institutions list it as active. It may be one prescription told twice, or two.',
    evidence: [...a.evidence, ...b.evidence],
  }
}

function statementOf(medicine: Medicine): Statement {
  const { reading, status, authored, name, evidence } = medicine
  return { reading, state: status, at: authored, name, naming: evidence }
}

const COMPARED_STATES: ReadonlySet<string> = new Set(['active', 'stopped', 'completed', 'on-hold'])

const activeAgainstStopped: Rule = {
  id: 'R83',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'proposed',
  rationale: 'One institution lists a medicine as active that another stopped later',
  needs: 'no coded medicines of two institutions',
  checks: comparing(
    TYPES,
    (reading, lookup) => {
      const medicine = medicineOf(reading, lookup)
      if (!medicine || !COMPARED_STATES.has(medicine.status)) return null
      return { statement: statementOf(medicine), keys: medicine.keys }
    },
    (latest) => {
      const outcomes = opposed(latest, 'active', 'stopped').map(([active, stopped]) =>
        judgeStop(active, stopped),
      )
      return {
        checked: outcomes.reduce((sum, { checked }) => sum + checked, 0),
        notAssessed: outcomes.flatMap((outcome) => outcome.notAssessed),
        hits: outcomes.flatMap((outcome) => outcome.hits),
      }
    },
  ),
}

/** Only an order that was given no earlier than the active one, and then stopped, speaks against it. */
function judgeStop(active: Statement, stopped: Statement): Outcome {
  if (!active.at || !stopped.at) return notCompared(2, 'no date that tells which order is the later one')
  if (isBefore(stopped.at, active.at)) return NOTHING
  if (!isBefore(active.at, stopped.at) && active.at.text !== stopped.at.text)
    return notCompared(2, 'dates too coarse to tell which order is the later one')
  const [a, b] = [active.reading.item, stopped.reading.item]
  return found([
    {
      title: `${active.name}: active (${a.source}), stopped (${b.source})`,
      explanation:
        'The order that was stopped is no older than the active one. One of the lists is not up to date.',
      evidence: [cite(a, '/status'), cite(b, '/status'), ...active.naming, ...stopped.naming],
    },
  ])
}

export const MEDICINE_RULES: readonly Rule[] = [sameIngredient, activeAgainstStopped]
