// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { isRefuted } from '../../read/codes.ts'
import { EVENT_TYPES, type Event } from '../../read/event.ts'
import { DAY, isBefore, momentOf } from '../../read/moment.ts'
import {
  breaks,
  HOLDS,
  NOTHING,
  notAssessed,
  type Outcome,
  type ResourceCheck,
  type Rule,
} from '../../rule.ts'
import type { Facet, Situation } from '../../situation.ts'

/** Pregnancy lasts up to 42 weeks: what lies so far before birth may be prenatal. */
const PRENATAL_MS = 294 * DAY
/** Results arrive, certificates and registers are written after death. */
const AFTER_DEATH_MS = 60 * DAY

function eachEvent(
  reads: readonly Facet[],
  judge: (reading: Reading, event: Event, situation: Situation) => Outcome,
): ResourceCheck {
  return {
    scope: 'resource',
    types: EVENT_TYPES,
    reads,
    judge: (reading, situation) =>
      reading.event === null || isRefuted(reading.item.resource)
        ? []
        : [judge(reading, reading.event, situation)],
  }
}

const beforeBirth: Rule = {
  id: 'R60',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'Nothing happens to a patient before birth',
  needs: 'no event with a date',
  checks: [
    eachEvent(['birth'], ({ item, type }, { at, pointer }, { birth }) => {
      if (!birth) return notAssessed('no birth date')
      if (!isBefore(at, birth.at)) return HOLDS
      if (!isBefore(at, birth.at, PRENATAL_MS)) return notAssessed('may be from before birth')
      return breaks({
        title: `${type} of ${at.text} is before birth (${item.source})`,
        explanation: `The birth date is ${birth.at.text}. One of the dates, or the patient, is wrong.`,
        evidence: [cite(item, pointer), cite(birth.reading.item, birth.pointer)],
      })
    }),
  ],
}

const afterDeath: Rule = {
  id: 'R61',
  kahn: 'plausibility',
  severity: 'error',
  review: 'proposed',
  rationale: 'Little happens to a patient after death',
  needs: 'no date of death',
  checks: [
    eachEvent(['death'], ({ item, type }, { at, pointer }, { death }) => {
      if (!death) return NOTHING
      if (!isBefore(death.at, at, AFTER_DEATH_MS)) return HOLDS
      return breaks({
        title: `${type} of ${at.text} is after death (${item.source})`,
        explanation: `The date of death is ${death.at.text}. One of the dates, or the patient, is wrong.`,
        evidence: [cite(item, pointer), cite(death.reading.item, death.pointer)],
      })
    }),
  ],
}

const future: Rule = {
  id: 'R62',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'What happened does not lie in the future',
  needs: 'no event with a date',
  checks: [
    eachEvent(['now'], ({ item, type }, { at, pointer }, { nowMs }) => {
      // A day's grace for clocks and zones.
      if (at.from <= nowMs + DAY) return HOLDS
      return breaks({
        title: `${type} of ${at.text} lies in the future (${item.source})`,
        explanation: 'The year or the order of day and month may be wrong.',
        evidence: [cite(item, pointer)],
      })
    }),
  ],
}

const PERIODS = [
  'period',
  'effectivePeriod',
  'performedPeriod',
  'onsetPeriod',
  'abatementPeriod',
  'occurrencePeriod',
  'servicedPeriod',
  'billablePeriod',
] as const

const endBeforeStart: Rule = {
  id: 'R63',
  kahn: 'conformance',
  severity: 'error',
  review: 'structural',
  // FHIR R4, invariant per-1.
  rationale: 'A period ends after it starts',
  needs: 'no period with start and end',
  checks: [
    {
      scope: 'resource',
      types: null,
      judge: ({ item, type }) => {
        const outcomes: Outcome[] = []
        for (const name of PERIODS) {
          const period = item.resource[name]
          if (typeof period !== 'object' || period === null) continue
          const [start, end] = [
            momentOf((period as { start?: unknown }).start),
            momentOf((period as { end?: unknown }).end),
          ]
          if (!start || !end) continue
          outcomes.push(
            isBefore(end, start)
              ? breaks({
                  title: `${type} ends before it starts (${item.source})`,
                  explanation: `It starts on ${start.text} and ends on ${end.text}.`,
                  evidence: [cite(item, `/${name}/start`), cite(item, `/${name}/end`)],
                })
              : HOLDS,
          )
        }
        return outcomes
      },
    },
  ],
}

const issuedBeforeEffective: Rule = {
  id: 'R66',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'structural',
  rationale: 'A result is issued after the sample was taken',
  needs: 'no result with both times',
  checks: [
    {
      scope: 'resource',
      types: ['Observation', 'DiagnosticReport'],
      judge: ({ item, event }) => {
        const issued = momentOf(item.resource['issued'])
        if (!event || !issued) return []
        // A day's grace: many clocks and zones are set wrongly by hours.
        if (!isBefore(issued, event.at, DAY)) return [HOLDS]
        return [
          breaks({
            title: `A result was issued on ${issued.text}, before it was measured on ${event.at.text} (${item.source})`,
            explanation: 'One of the times is wrong.',
            evidence: [cite(item, '/issued'), cite(item, event.pointer)],
          }),
        ]
      },
    },
  ],
}

export const TIME_RULES: readonly Rule[] = [
  beforeBirth,
  afterDeath,
  future,
  endBeforeStart,
  issuedBeforeEffective,
]
