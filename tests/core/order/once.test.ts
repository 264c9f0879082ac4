// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { once, onceEach } from '#core/order/once.ts'

describe('what is made once', () => {
  it('is shared by all who ask while it is made, and after', async () => {
    let count = 0
    const made = once(async () => ++count)
    expect(await Promise.all([made(), made()])).toEqual([1, 1])
    expect(await made()).toBe(1)
  })

  it('is made anew for who asks after it failed, and fails for all who asked before', async () => {
    let count = 0
    const made = once(async () => {
      count += 1
      if (count === 1) throw new Error('not yet')
      return count
    })
    const [first, second] = await Promise.allSettled([made(), made()])
    expect([first.status, second.status]).toEqual(['rejected', 'rejected'])
    expect(await made()).toBe(2)
    expect(await made()).toBe(2)
  })

  it('is made once for each key', async () => {
    const asked: string[] = []
    const made = onceEach(async (key: string) => {
      asked.push(key)
      return key.length
    })
    expect(await Promise.all([made('one'), made('three'), made('one')])).toEqual([3, 5, 3])
    expect(asked).toEqual(['one', 'three'])
  })

  it('is forgotten only for the key that failed', async () => {
    const asked: string[] = []
    const made = onceEach(async (key: string) => {
      asked.push(key)
      if (key === 'bad') throw new Error('bad')
      return key
    })
    await made('good')
    await expect(made('bad')).rejects.toThrow('bad')
    await expect(made('bad')).rejects.toThrow('bad')
    await made('good')
    expect(asked).toEqual(['good', 'bad', 'bad'])
  })
})
