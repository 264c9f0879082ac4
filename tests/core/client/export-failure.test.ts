// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { exportFailure, type ExportFailure } from '#core/client/export/failure.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { isAmpereError } from '#core/errors.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

describe('the class of a file that nothing can be reported of', () => {
  let whole: Uint8Array
  beforeAll(async () => {
    const world = await testDeployment(['hospital-a'])
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, { deployment: asDeploymentId('home-1'), origin: ORIGIN }, [
      'general',
    ])
    whole = await exportRecord(a, record)
  })

  const classOf = async (bytes: Uint8Array): Promise<ExportFailure | null> => {
    try {
      await verifyExport(bytes)
    } catch (error) {
      if (isAmpereError(error)) return exportFailure(error)
      throw error
    }
    throw new Error('the file verified')
  }
  const changed = (change: (text: string) => string) => utf8(change(fromUtf8(whole)))

  it('is "no export" for what does not begin as one: empty, text, JSON, bytes', async () => {
    const others = ['', '{}', 'hello\n', '[]', '{"ampere":"evidence/v1"}\n'].map(utf8)
    for (const bytes of [...others, Uint8Array.from([0xff, 0xfe, 0x00, 0x80]), whole.subarray(0, 10)])
      expect(await classOf(bytes)).toBe('not-export')
  })

  it('is "tampered" for what begins as one, wherever it is changed or cut', async () => {
    const inside = whole.slice()
    inside[Math.floor(inside.length / 2)] = 0xff
    const others = [
      inside,
      whole.subarray(0, 30),
      whole.subarray(0, whole.length - 5),
      changed((text) => text.replace('export/v1', 'export/v9')),
      changed((text) => `${text.split('\n')[0]}\n`),
    ]
    for (const bytes of others) expect(await classOf(bytes)).toBe('tampered')
  })

  it('is "tampered" for a head statement with another member, and wherever a byte of it is another', async () => {
    const lines = fromUtf8(whole).trimEnd().split('\n')
    const { head } = JSON.parse(lines.at(-1) ?? '') as { head: string }
    const [header = '', payload = '', signature = ''] = head.split('.')
    const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const withPayload = (next: object) =>
      `${header}.${Buffer.from(JSON.stringify(next)).toString('base64url')}.${signature}`
    const heads = [
      withPayload({ ...said, height: -1 }),
      withPayload({ ...said, height: 'x' }),
      withPayload({}),
      `${header}.!.${signature}`,
      'no statement',
      ...[0, 7, header.length + 3, head.length - 4].map(
        (at) => `${head.slice(0, at)}${head[at] === 'A' ? 'B' : 'A'}${head.slice(at + 1)}`,
      ),
    ]
    for (const other of heads) {
      const text = [...lines.slice(0, -1), JSON.stringify({ head: other })].join('\n')
      expect({ other, is: await classOf(utf8(`${text}\n`)) }).toEqual({ other, is: 'tampered' })
    }
  })
})
