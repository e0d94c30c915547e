import { Link } from '../router.tsx'
import { Empty } from '../ui/notice.tsx'

export function UnknownPage({ path }: { readonly path: string }) {
  return (
    <Empty title="There is no such page">
      <p>
        The address ends in <code>{path}</code>. The <Link to="/">overview</Link> shows all dependencies.
      </p>
    </Empty>
  )
}
