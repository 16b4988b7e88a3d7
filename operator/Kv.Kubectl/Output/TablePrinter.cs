using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Kv.Kubectl.Output;

/// <summary>Tables for people: columns as wide as their widest cell, whatever the terminal's width, so that no name is cut; colours on a terminal only.</summary>
internal sealed class TablePrinter(Terminal terminal)
{
    private const int Unbounded = 10_000;

    /// <summary>Prints a heading and a table. Columns whose name begins with <c>#</c> hold numbers and are aligned right.</summary>
    public void Print(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var name in columns)
        {
            var isNumber = name.StartsWith('#');
            var column = new TableColumn(new Text(name.TrimStart('#').ToUpperInvariant(), new Style(decoration: Decoration.Bold)))
            {
                Alignment = isNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, 3, 0),
                NoWrap = true,
            };
            table.AddColumn(column);
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(cell => (IRenderable)new Text(Escape.Cell(cell.Length == 0 ? "-" : cell), ColourOf(cell))));
        }

        Write(table);
    }

    public void Line(string text = "") => terminal.Text.WriteLine(Escape.Line(text));

    /// <summary>States that a person looks for stand out.</summary>
    private static Style ColourOf(string cell) => cell switch
    {
        "down" or "failed" or "no" => new Style(Color.Red),
        "joining" or "leaving" or "exiting" or "waiting" or "created" => new Style(Color.Yellow),
        _ => Style.Plain,
    };

    private void Write(IRenderable table)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal.IsInteractive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal.IsInteractive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new Page(text, terminal),
        });
        console.Write(table);
        foreach (var line in text.ToString().Split('\n'))
        {
            if (line.Trim().Length > 0)
            {
                terminal.Text.WriteLine(line.TrimEnd());
            }
        }
    }

    private sealed class Page(TextWriter writer, Terminal terminal) : IAnsiConsoleOutput
    {
        public TextWriter Writer { get; } = writer;

        public bool IsTerminal { get; } = terminal.IsInteractive;

        public int Width => Unbounded;

        public int Height => 24;

        public void SetEncoding(Encoding encoding)
        {
            // What the terminal writes is UTF-8 in any case.
        }
    }
}
