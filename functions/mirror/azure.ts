// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openMirroring } from './alone.ts'

onAzure(
  'mirror',
  { wakes: openMirroring },
  {
    schedule: '15 */5 * * * *',
    rests: { schedule: '15 23 * * * *', while: ({ mirrored }) => mirrored.length === 0 },
  },
)
