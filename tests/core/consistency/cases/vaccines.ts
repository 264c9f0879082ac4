// SPDX-License-Identifier: Apache-2.0
import { concept, vaccine, type Case } from '../small-records.ts'

export const VACCINE_CASES: readonly Case[] = [
  {
    rule: 'R15',
    broken: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-03')],
    kept: [vaccine('i', '2020-10-01'), vaccine('j', '2021-10-03')],
    nearly: [
      {
        why: 'four weeks',
        items: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-29')],
        but: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-22')],
      },
      {
        why: 'it was not given',
        items: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-03', { status: 'not-done' })],
        but: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-03', { status: 'completed' })],
      },
      {
        why: 'the first one counted for less',
        items: [vaccine('i', '2020-10-01', { isSubpotent: true }), vaccine('j', '2020-10-03')],
        but: [vaccine('i', '2020-10-01', { isSubpotent: false }), vaccine('j', '2020-10-03')],
        because: 'a dose that counts for less than one',
        isPartly: true,
      },
      {
        why: 'another vaccine',
        items: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-03', {}, '33')],
        but: [vaccine('i', '2020-10-01', {}, '08'), vaccine('j', '2020-10-03', {}, '08')],
      },
      {
        why: 'doses that follow each other in days',
        items: [vaccine('i', '2020-10-01', {}, '18'), vaccine('j', '2020-10-04', {}, '18')],
        but: [vaccine('i', '2020-10-01', {}, '18'), vaccine('j', '2020-10-01', {}, '18')],
      },
      {
        why: 'a code of another system',
        items: [
          vaccine('i', '2020-10-01'),
          vaccine('j', '2020-10-03', { vaccineCode: concept('urn:local', '140') }),
        ],
        but: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-03')],
        because: 'no CVX code',
        isPartly: true,
      },
      {
        why: 'only a month',
        items: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10')],
        but: [vaccine('i', '2020-10-01'), vaccine('j', '2020-10-10')],
        because: 'no day on which it was given',
        isPartly: true,
      },
    ],
  },
]
