// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { parseAdmitted, parseBlock } from '#core/block/open-block.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { isAmpereError } from '#core/errors.ts'
import { entry } from '../server/attempts.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

async function blocks(): Promise<readonly string[]> {
  const connection = (await testDeployment(['hospital-a'])).connect('hospital-a')
  const { record } = await createRecord(connection, HOME, ['general'])
  await connection.append(record, [entry('one')])
  return (await connection.api.blocks(record, 0)).items
}

/** What comes of parsing: the block, or the code of the refusal. */
function outcome(parse: () => unknown): unknown {
  try {
    return parse()
  } catch (error) {
    if (isAmpereError(error)) return error.code
    throw error
  }
}

describe('a block that was admitted under its id', () => {
  it('is read as it was parsed then, whatever kind of block it is', async () => {
    for (const compact of await blocks()) {
      const parsed = parseBlock(compact)
      expect(parseAdmitted(compact, new Set([parsed.id]))).toEqual(parsed)
      expect(parseAdmitted(compact, new Set())).toEqual(parsed)
    }
  })

  it('is judged anew when any byte of it was changed', async () => {
    const compact = (await blocks()).at(-1) ?? ''
    const admitted = new Set([parseBlock(compact).id])
    for (let at = 0; at < compact.length; at++) {
      const changed = `${compact.slice(0, at)}${compact[at] === 'A' ? 'B' : 'A'}${compact.slice(at + 1)}`
      expect(outcome(() => parseAdmitted(changed, admitted))).toEqual(outcome(() => parseBlock(changed)))
    }
  })

  it.each([[null], [2], [[]], [{}], [{ type: 'record' }], [{ type: 'record', height: 0, chain: 'x' }]])(
    'is refused as it would be without when that cannot be true: %j',
    async (payload) => {
      const compact = (await blocks()).at(-1) ?? ''
      const [header = '', , signature = ''] = compact.split('.')
      const input = `${header}.${toBase64url(utf8(canonicalize(payload)))}`
      const made = `${input}.${signature}`
      const admitted = new Set([digestOf(utf8(input))])
      expect(outcome(() => parseAdmitted(made, admitted))).toBe('BLOCK_MALFORMED')
    },
  )
})
