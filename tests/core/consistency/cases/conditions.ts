// SPDX-License-Identifier: Apache-2.0
import {
  concept,
  dated,
  error,
  item,
  problem,
  refuted,
  status,
  type Case,
  type Items,
  type Json,
} from '../small-records.ts'

const knows = (source: string, id: string, more: Json = {}) => item(source, problem(id, more))

const lasted = (onsetDateTime: string, abatementDateTime: string, more: Json = {}): Items =>
  dated(problem('c', { onsetDateTime, abatementDateTime, clinicalStatus: status('resolved'), ...more }))

export const CONDITION_CASES: readonly Case[] = [
  {
    rule: 'R14',
    broken: [
      knows('a', 'c', { onsetDateTime: '2010-01-01' }),
      knows('a', 'd', { onsetDateTime: '2012-01-01' }),
    ],
    kept: [knows('a', 'c', { onsetDateTime: '2010-01-01' })],
    nearly: [
      {
        why: 'another institution',
        items: [
          knows('a', 'c', { onsetDateTime: '2010-01-01' }),
          knows('b', 'd', { onsetDateTime: '2012-01-01' }),
        ],
        but: [
          knows('a', 'c', { onsetDateTime: '2010-01-01' }),
          knows('a', 'd', { onsetDateTime: '2012-01-01' }),
        ],
      },
      {
        why: 'the year of that day',
        items: [knows('a', 'c', { onsetDateTime: '2010' }), knows('a', 'd', { onsetDateTime: '2010-06-01' })],
        but: [knows('a', 'c', { onsetDateTime: '2009' }), knows('a', 'd', { onsetDateTime: '2010-06-01' })],
      },
      {
        why: 'diagnoses of encounters',
        items: [
          knows('a', 'c', { onsetDateTime: '2010-01-01' }),
          knows('a', 'd', { onsetDateTime: '2012-01-01', category: [status('encounter-diagnosis')] }),
        ],
        but: [
          knows('a', 'c', { onsetDateTime: '2010-01-01' }),
          knows('a', 'd', { onsetDateTime: '2012-01-01', category: [status('problem-list-item')] }),
        ],
      },
      {
        why: 'the other knee',
        items: [
          knows('a', 'c', { onsetDateTime: '2010-01-01', bodySite: [{ text: 'left' }] }),
          knows('a', 'd', { onsetDateTime: '2012-01-01', bodySite: [{ text: 'right' }] }),
        ],
        but: [
          knows('a', 'c', { onsetDateTime: '2010-01-01', bodySite: [{ text: 'left' }] }),
          knows('a', 'd', { onsetDateTime: '2012-01-01', bodySite: [{ text: 'left' }] }),
        ],
      },
      {
        why: 'the first is over',
        items: [
          knows('a', 'c', { onsetDateTime: '2010-01-01', clinicalStatus: status('resolved') }),
          knows('a', 'd', { onsetDateTime: '2012-01-01' }),
        ],
        but: [
          knows('a', 'c', { onsetDateTime: '2010-01-01', clinicalStatus: status('recurrence') }),
          knows('a', 'd', { onsetDateTime: '2012-01-01' }),
        ],
      },
      {
        why: 'the second was refuted',
        items: [
          knows('a', 'c', { onsetDateTime: '2010-01-01' }),
          knows('a', 'd', { onsetDateTime: '2012-01-01', ...refuted }),
        ],
        but: [
          knows('a', 'c', { onsetDateTime: '2010-01-01' }),
          knows('a', 'd', { onsetDateTime: '2012-01-01' }),
        ],
      },
      {
        why: 'no onset',
        items: [knows('a', 'c', { onsetDateTime: '2010-01-01' }), knows('a', 'd')],
        but: [
          knows('a', 'c', { onsetDateTime: '2010-01-01' }),
          knows('a', 'd', { onsetDateTime: '2012-01-01' }),
        ],
        because: 'no date of onset',
        isPartly: true,
      },
    ],
  },
  {
    rule: 'R64',
    broken: lasted('2020-02-01', '2019-01-01'),
    kept: lasted('2020-02-01', '2021-01-01'),
    nearly: [
      {
        why: 'it was entered in error',
        items: lasted('2020-02-01', '2019-01-01', error),
        but: lasted('2020-02-01', '2019-01-01'),
        because: 'no condition with dates of onset and abatement',
      },
      {
        why: 'over the same day',
        items: lasted('2020-02-01T12:00:00Z', '2020-02-01'),
        but: lasted('2020-02-05T12:00:00Z', '2020-02-01'),
      },
      { why: 'over the same year', items: lasted('2020-06', '2020'), but: lasted('2021-06', '2020') },
      {
        why: 'it was refuted',
        items: lasted('2020-02-01', '2019-01-01', refuted),
        but: lasted('2020-02-01', '2019-01-01'),
        because: 'no condition with dates of onset and abatement',
      },
    ],
  },
  {
    rule: 'R64b',
    broken: dated(problem('c', { abatementDateTime: '2021-01-01' })),
    kept: dated(problem('c', { abatementDateTime: '2021-01-01', clinicalStatus: status('resolved') })),
    nearly: [
      {
        why: 'it was entered in error',
        items: dated(problem('c', { abatementDateTime: '2021-01-01', ...error })),
        but: dated(problem('c', { abatementDateTime: '2021-01-01' })),
        because: 'no condition with an end and a clinical status',
      },
      {
        why: 'remission',
        items: dated(problem('c', { abatementDateTime: '2021-01-01', clinicalStatus: status('remission') })),
        but: dated(problem('c', { abatementDateTime: '2021-01-01', clinicalStatus: status('relapse') })),
      },
      {
        why: 'it was refuted',
        items: dated(problem('c', { abatementString: 'last year', ...refuted })),
        but: dated(problem('c', { abatementString: 'last year' })),
        because: 'no condition with an end and a clinical status',
      },
      {
        why: 'no status',
        items: dated(problem('c', { abatementDateTime: '2021-01-01', clinicalStatus: undefined })),
        but: dated(problem('c', { abatementDateTime: '2021-01-01', clinicalStatus: status('recurrence') })),
        because: 'no clinical status',
      },
    ],
  },
  {
    rule: 'R88',
    broken: [knows('a', 'c'), knows('b', 'd', refuted)],
    kept: [knows('a', 'c'), knows('b', 'd')],
    nearly: [
      {
        why: 'only provisional',
        items: [
          knows('a', 'c'),
          knows('b', 'e'),
          knows('b', 'd', { verificationStatus: status('provisional') }),
        ],
        but: [knows('a', 'c'), knows('b', 'd', { ...refuted })],
      },
      {
        why: 'ruled out before it came',
        items: [
          knows('a', 'c', { recordedDate: '2015-01-01' }),
          knows('b', 'd', { ...refuted, recordedDate: '2010-01-01' }),
        ],
        but: [
          knows('a', 'c', { recordedDate: '2010-01-01' }),
          knows('b', 'd', { ...refuted, recordedDate: '2015-01-01' }),
        ],
      },
      {
        why: 'it was over',
        items: [knows('a', 'c', { clinicalStatus: status('resolved') }), knows('b', 'd', refuted)],
        but: [knows('a', 'c', { clinicalStatus: status('active') }), knows('b', 'd', refuted)],
      },
      {
        why: 'entered in error',
        items: [knows('a', 'c'), knows('b', 'e'), knows('b', 'd', error)],
        but: [knows('a', 'c'), knows('b', 'd', refuted)],
      },
      {
        why: 'one institution changed its mind',
        items: [
          knows('a', 'c'),
          knows('b', 'd', { ...refuted, recordedDate: '2010-01-01' }),
          knows('b', 'e', { recordedDate: '2012-01-01' }),
        ],
        but: [
          knows('a', 'c'),
          knows('b', 'd', { ...refuted, recordedDate: '2012-01-01' }),
          knows('b', 'e', { recordedDate: '2010-01-01' }),
        ],
      },
      {
        why: 'a code without a system',
        items: [
          knows('a', 'c', { code: { coding: [{ code: 'I10' }] } }),
          knows('b', 'd', { ...refuted, code: { coding: [{ code: 'I10' }] } }),
        ],
        but: [
          knows('a', 'c', { code: concept('http://hl7.org/fhir/sid/icd-10-cm', 'I10') }),
          knows('b', 'd', { ...refuted, code: concept('http://hl7.org/fhir/sid/icd-10-cm', 'I10') }),
        ],
        because: 'no code with its system',
      },
    ],
  },
]
