// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { listedFinding } from '#cli/commands/data/findings.ts'
import { plain, printable } from '#cli/terminal/words.ts'

describe('text that others wrote', () => {
  it('cannot move the cursor, begin a line or turn the direction of writing', () => {
    expect(plain('a\u001b[2J\r\nEverything verified\u202e\u009b1m')).toBe('a [2J Everything verified 1m')
  })

  it('is printed without steering the terminal, in colours of ours', () => {
    const line = '\u001b[31mbad\u001b[39m\n\u001b]52;c;x\u0007 \u001b[2J\r\u202e'
    expect(printable(line)).toBe('\u001b[31mbad\u001b[39m\n\ufffd]52;c;x\ufffd \ufffd[2J\ufffd\ufffd')
  })

  it.each([[undefined], ['text'], [7], [[null]], [[{ source: 5 }]]])(
    'is listed as a finding, whatever its evidence is: %j',
    (evidence) => {
      const finding = { resourceType: 'Finding', id: 'x', filedBy: 'b', filedAt: '', evidence }
      expect(() => listedFinding(finding, 'chain')).not.toThrow()
    },
  )
})
