// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { signHead } from '../../api/head.ts'
import type { Now, Signer } from '../../ports/keys.ts'
import type { Home } from '../home.ts'

/** Signs that `block` is, at this time, the newest of its chain here. */
export async function headStatement(
  ports: { readonly now: Now; readonly keys: { readonly head: Signer } },
  home: Home,
  block: ParsedBlock,
): Promise<string> {
  const newest = (await home.registry.refresh()).newest().head
  return signHead(
    {
      v: 1,
      chain: block.chain,
      height: block.block.height,
      block: block.id,
      registry: newest,
      time: toTimestamp(ports.now()),
      origin: home.origin,
      durability: home.durability,
    },
    ports.keys.head,
  )
}
