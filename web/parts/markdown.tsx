import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';
import type { ComponentChild, JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { texts } from '../texts.ts';
import { CodeBlock } from './code-block.tsx';

type Tree = ReturnType<typeof fromMarkdown>;
type Node = Tree['children'][number];

/** Markdown with tables. Elements are made from its syntax tree, and no text ever becomes HTML. */
export function Markdown({ text }: { readonly text: string }): JSX.Element {
  const tree = useMemo(
    () => fromMarkdown(text, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] }),
    [text],
  );
  return <div class="prose">{rendered(tree.children)}</div>;
}

function rendered(nodes: readonly Node[]): ComponentChild[] {
  return nodes.map((node, key) => <Part key={key} node={node} />);
}

function Part({ node }: { readonly node: Node }): ComponentChild {
  switch (node.type) {
    case 'text':
      return node.value;
    case 'paragraph':
      return <p>{rendered(node.children)}</p>;
    case 'heading': {
      // The page has a heading of its own above those of an answer.
      const Heading = `h${String(Math.min(6, node.depth + 1))}` as 'h2';
      return <Heading>{rendered(node.children)}</Heading>;
    }
    case 'emphasis':
      return <em>{rendered(node.children)}</em>;
    case 'strong':
      return <strong>{rendered(node.children)}</strong>;
    case 'inlineCode':
      return <code>{node.value}</code>;
    case 'code':
      return <CodeBlock code={node.value} language={node.lang ?? undefined} />;
    case 'break':
      return <br />;
    case 'thematicBreak':
      return <hr />;
    case 'blockquote':
      return <blockquote>{rendered(node.children)}</blockquote>;
    case 'list':
      return node.ordered === true ? (
        <ol start={node.start ?? 1}>{rendered(node.children)}</ol>
      ) : (
        <ul>{rendered(node.children)}</ul>
      );
    case 'listItem':
      return <li>{rendered(node.children)}</li>;
    case 'link':
      return <SafeLink url={node.url}>{rendered(node.children)}</SafeLink>;
    case 'image':
      // A picture of a foreign origin would tell that origin who reads this.
      return <SafeLink url={node.url}>{node.alt ?? node.url}</SafeLink>;
    case 'table':
      return <Table rows={node.children} align={node.align ?? []} />;
    default:
      return 'children' in node ? <>{rendered(node.children)}</> : null;
  }
}

/**
 * A link that a model has written leads to another site, and names it. One that looks like ours is none: consent begins at a
 * link of the service alone.
 */
function SafeLink({
  url,
  children,
}: {
  readonly url: string;
  readonly children: ComponentChild;
}): JSX.Element {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  const isWeb = target?.protocol === 'https:' || target?.protocol === 'http:';
  if (target === undefined || !isWeb || target.origin === location.origin) return <>{children}</>;
  return (
    <a href={target.href} target="_blank" rel="noopener noreferrer">
      {children}
      <span class="host"> ({target.host})</span>
    </a>
  );
}

interface TableProps {
  readonly rows: Extract<Node, { type: 'table' }>['children'];
  readonly align: readonly ('left' | 'right' | 'center' | null)[];
}

function Table({ rows, align }: TableProps): JSX.Element {
  const [head, ...body] = rows;
  const cells = (row: TableProps['rows'][number] | undefined, Cell: 'th' | 'td'): JSX.Element => (
    <tr>
      {row?.children.map((cell, column) => (
        <Cell key={column} class={align[column] ?? undefined} scope={Cell === 'th' ? 'col' : undefined}>
          {rendered(cell.children)}
        </Cell>
      ))}
    </tr>
  );
  return (
    <div class="table" tabIndex={0} role="region" aria-label={texts.table}>
      <table>
        <thead>{cells(head, 'th')}</thead>
        <tbody>{body.map((row) => cells(row, 'td'))}</tbody>
      </table>
    </div>
  );
}
