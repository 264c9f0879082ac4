// SPDX-License-Identifier: Apache-2.0
import {
  MAX_ROWS_BYTES,
  parseRowActs,
  rowResultsJson,
  type RowAct,
  type RowResult,
} from '#core/api/bridge/rows.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { authenticateInstitution, type InstitutionLogin } from '#core/bridge/token/institution.ts'
import { AmpereError } from '#core/errors.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { readBody, requireType, type Hosting, type RoleApp } from '../host/app.ts'
import { problem } from '../host/problem.ts'

const PATH = '/rows'
/**
 * What a process of the institution works with as a process of the bridge does: whose record is whose, codes, readings that wait, what
 * was erased, turns. Clients, their assertions and tokens, heads that were seen and evidence are the bridge's alone.
 */
const SHARED = new Set(['access', 'erased', 'indexed', 'pairing', 'patient', 'served', 'settled', 'turn'])
const ENTRIES_OF_A_CHAIN = /^entry\/[\w-]{43}$/

/**
 * The bridge's table for the institution's own computer, so that its commands are one more process of this bridge and keep no index of
 * their own. The rows stay as they lie there: named and sealed under a secret that the institution has. Asked by signed requests; no
 * token reaches here.
 */
export function addRows(app: RoleApp, table: WriteTable, login: InstitutionLogin, hosting: Hosting): void {
  app.all(PATH, async (c) => {
    try {
      if (c.req.method !== 'POST') throw new AmpereError('METHOD_NOT_ALLOWED', 'use POST')
      requireType(c.req.raw, 'application/json')
      const body = await readBody(c.req.raw, MAX_ROWS_BYTES)
      const authorization = c.req.header('authorization') ?? null
      const target = PATH + new URL(c.req.url).search
      await authenticateInstitution(login, { method: 'POST', target, body, authorization })
      const acts = actsIn(body)
      const results = await Promise.all(acts.map((act) => carryOut(table, act)))
      return new Response(JSON.stringify(rowResultsJson(results)), {
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      })
    } catch (error) {
      const allow = { allow: 'POST' }
      return problem(c, error, hosting.log, c.req.method === 'POST' ? {} : allow)
    }
  })
}

function actsIn(body: Uint8Array): readonly RowAct[] {
  const acts = parseRowActs(jsonIn(body))
  const strange = acts.some(({ partition }) => !SHARED.has(partition) && !ENTRIES_OF_A_CHAIN.test(partition))
  if (strange) throw new AmpereError('REQUEST_MALFORMED', 'rows: a partition is not shared')
  return acts
}

function jsonIn(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body))
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', 'the body is not JSON', { cause })
  }
}

function carryOut(table: WriteTable, act: RowAct): Promise<RowResult> {
  const { partition } = act
  switch (act.act) {
    case 'get':
      return table.get(partition, act.key)
    case 'range':
      return table.range(partition, act.range)
    case 'insert':
      return table.insert(partition, act.key, act.value)
    case 'swap':
      return table.swap(partition, act.key, act.expected, act.next)
  }
}
