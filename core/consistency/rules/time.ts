// SPDX-License-Identifier: Apache-2.0
import { msOf, timeOf, type Facts, type RecordItem } from '../facts.ts'
import { cite, over, type Rule } from '../rule.ts'

const DAY = 86_400_000
/** What is planned lies in the future rightly. */
const PLANS: ReadonlySet<string> = new Set([
  'Appointment',
  'CarePlan',
  'Goal',
  'ServiceRequest',
  'MedicationRequest',
  'Coverage',
])
/** Types that are written about a person after death: results arrive, certificates and bills are made. */
const AFTER_DEATH_DAYS = 60
/** Types that describe what happened to the patient. */
const EVENTS: ReadonlySet<string> = new Set([
  'Observation',
  'Procedure',
  'Immunization',
  'Encounter',
  'Condition',
  'MedicationAdministration',
  'DiagnosticReport',
])

function events(facts: Facts): { item: RecordItem; at: number }[] {
  return facts.items.flatMap((item) => {
    const at = EVENTS.has(item.resource.resourceType) ? timeOf(item.resource) : null
    return at === null ? [] : [{ item, at }]
  })
}

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

const beforeBirth: Rule = {
  id: 'R60',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'Nothing happens to a patient before birth',
  apply: (facts) => {
    const { birth } = facts
    if (birth === null) return { checked: 0, hits: [], notAssessed: 'no birth date' }
    return over(events(facts), 'no dated event', ({ item, at }) =>
      at >= birth - DAY
        ? null
        : {
            title: `${item.resource.resourceType} of ${date(at)} is before birth (${item.source})`,
            explanation: `The birth date is ${date(birth)}. One of the dates, or the patient, is wrong.`,
            evidence: [cite(item, '', date(at))],
          },
    )
  },
}

const afterDeath: Rule = {
  id: 'R61',
  kahn: 'plausibility',
  severity: 'error',
  review: 'proposed',
  rationale: 'Little happens to a patient after death',
  apply: (facts) => {
    const { death } = facts
    if (death === null) return { checked: 0, hits: [], notAssessed: 'no date of death' }
    return over(events(facts), 'no dated event', ({ item, at }) =>
      at <= death + AFTER_DEATH_DAYS * DAY
        ? null
        : {
            title: `${item.resource.resourceType} of ${date(at)} is after death (${item.source})`,
            explanation: `The date of death is ${date(death)}. One of the dates, or the patient, is wrong.`,
            evidence: [cite(item, '', date(at))],
          },
    )
  },
}

const future: Rule = {
  id: 'R62',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'What happened does not lie in the future',
  apply: (facts) =>
    over(
      events(facts).filter(({ item }) => !PLANS.has(item.resource.resourceType)),
      'no dated event',
      ({ item, at }) =>
        at <= facts.now + DAY
          ? null
          : {
              title: `${item.resource.resourceType} of ${date(at)} lies in the future (${item.source})`,
              explanation: 'The year or the order of day and month may be wrong.',
              evidence: [cite(item, '', date(at))],
            },
    ),
}

const PERIODS = ['period', 'effectivePeriod', 'performedPeriod', 'onsetPeriod']

const endBeforeStart: Rule = {
  id: 'R63',
  kahn: 'conformance',
  severity: 'error',
  review: 'structural',
  rationale: 'A period ends after it starts',
  apply: (facts) => {
    const periods = facts.items.flatMap((item) =>
      PERIODS.flatMap((name) => {
        const { start, end } = (item.resource[name] ?? {}) as { start?: unknown; end?: unknown }
        const [from, to] = [msOf(start), msOf(end)]
        return from !== null && to !== null ? [{ item, name, from, to }] : []
      }),
    )
    return over(periods, 'no period with start and end', ({ item, name, from, to }) =>
      to >= from
        ? null
        : {
            title: `${item.resource.resourceType} ends before it starts (${item.source})`,
            explanation: `It starts on ${date(from)} and ends on ${date(to)}.`,
            evidence: [cite(item, `/${name}/start`, date(from)), cite(item, `/${name}/end`, date(to))],
          },
    )
  },
}

const abatementBeforeOnset: Rule = {
  id: 'R64',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'A condition ends after it began',
  apply: (facts) => {
    const dated = (facts.byType.get('Condition') ?? []).flatMap((item) => {
      const [onset, abatement] = [
        msOf(item.resource['onsetDateTime']),
        msOf(item.resource['abatementDateTime']),
      ]
      return onset !== null && abatement !== null ? [{ item, onset, abatement }] : []
    })
    return over(dated, 'no condition with onset and abatement', ({ item, onset, abatement }) =>
      abatement >= onset - DAY
        ? null
        : {
            title: `A condition ended on ${date(abatement)}, before it began on ${date(onset)} (${item.source})`,
            explanation: 'One of the dates is wrong.',
            evidence: [
              cite(item, '/onsetDateTime', date(onset)),
              cite(item, '/abatementDateTime', date(abatement)),
            ],
          },
    )
  },
}

const issuedBeforeEffective: Rule = {
  id: 'R66',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'structural',
  rationale: 'A result is issued after the sample was taken',
  apply: (facts) => {
    const dated = (facts.byType.get('Observation') ?? []).flatMap((item) => {
      const [at, issued] = [msOf(item.resource['effectiveDateTime']), msOf(item.resource['issued'])]
      return at !== null && issued !== null ? [{ item, at, issued }] : []
    })
    return over(dated, 'no result with both times', ({ item, at, issued }) =>
      issued >= at - DAY
        ? null
        : {
            title: `A result was issued on ${date(issued)}, before it was measured on ${date(at)} (${item.source})`,
            explanation: 'One of the times is wrong.',
            evidence: [cite(item, '/issued', date(issued)), cite(item, '/effectiveDateTime', date(at))],
          },
    )
  },
}

export const TIME_RULES: readonly Rule[] = [
  beforeBirth,
  afterDeath,
  future,
  endBeforeStart,
  abatementBeforeOnset,
  issuedBeforeEffective,
]
