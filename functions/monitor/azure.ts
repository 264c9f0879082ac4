// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openMonitoring } from './alone.ts'

onAzure(
  'monitor',
  { wakes: openMonitoring },
  {
    schedule: '30 * * * * *',
    rests: { schedule: '30 53 * * * *', while: ({ watched }) => watched.length === 0 },
  },
)
