// SPDX-License-Identifier: Apache-2.0
import { fromHex } from '#core/bytes/encoding.ts'

/** The leaves that the reference implementations of Certificate Transparency are tested with. */
export const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(fromHex)
