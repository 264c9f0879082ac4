// SPDX-License-Identifier: Apache-2.0
import { READ_PROBLEMS } from '../host/operation.ts'

/** What operations have in common that anybody may read the registry by. */
export const open = {
  method: 'GET',
  who: 'Anybody: the registry names institutions, software and keys, never a patient.',
  signed: false,
  limits: [],
  path: {},
  query: {},
  body: null,
  problems: ['REQUEST_MALFORMED', ...READ_PROBLEMS],
} as const
