// SPDX-License-Identifier: Apache-2.0
import { AMOXICILLIN, LISINOPRIL, item, medicine, type Case } from '../small-records.ts'

const ordered = (source: string, id: string, code: string, state: string, authoredOn: string) =>
  item(source, medicine(id, code, state, { authoredOn }))
const NO_LATEST = 'no dates that tell which statement is the latest'

export const ORDER_CASES: readonly Case[] = [
  {
    rule: 'R83',
    broken: [
      ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
      ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
    ],
    kept: [
      ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
      ordered('b', 'n', AMOXICILLIN, 'completed', '2020-03-01'),
    ],
    nearly: [
      {
        why: 'no date of the order that was stopped',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          item('b', medicine('n', AMOXICILLIN, 'stopped')),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-01-01'),
        ],
        because: 'no date that tells which order is the later one',
      },
      {
        why: 'ordered again after it was stopped',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-01-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2019-12-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-01-01'),
        ],
      },
      {
        why: 'stopped, then ordered again by the same institution',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', AMOXICILLIN, 'active', '2020-04-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'o', AMOXICILLIN, 'stopped', '2020-04-01'),
        ],
        also: ['R13'],
      },
      {
        why: 'both in one institution',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('a', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', LISINOPRIL, 'active', '2020-03-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', LISINOPRIL, 'active', '2020-03-01'),
        ],
      },
      {
        why: 'on hold',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'on-hold', '2020-03-01'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
        ],
      },
      {
        why: 'no dates',
        items: [item('a', medicine('m', AMOXICILLIN)), item('b', medicine('n', AMOXICILLIN, 'stopped'))],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-01-01'),
        ],
        because: 'no date that tells which order is the later one',
      },
      {
        why: 'dates too coarse',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020'),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-03-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2021'),
        ],
        because: 'dates too coarse to tell which order is the later one',
      },
      {
        why: 'the latest is unknown',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          item('b', medicine('o', AMOXICILLIN, 'completed')),
        ],
        but: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', AMOXICILLIN, 'stopped', '2020-03-01'),
          ordered('b', 'o', AMOXICILLIN, 'completed', '2020-02-01'),
        ],
        because: NO_LATEST,
      },
      {
        why: 'another medicine',
        items: [
          ordered('a', 'm', AMOXICILLIN, 'active', '2020-01-01'),
          ordered('b', 'n', LISINOPRIL, 'stopped', '2020-03-01'),
        ],
        but: [
          ordered('a', 'm', LISINOPRIL, 'active', '2020-01-01'),
          ordered('b', 'n', LISINOPRIL, 'stopped', '2020-03-01'),
        ],
      },
    ],
  },
]
