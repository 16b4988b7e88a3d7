using System.Text.RegularExpressions;

namespace Kv.EndToEnd;

/// <summary>Commands as our documents and programs print them, and a shell that takes them as they are: a test does what a reader does.</summary>
internal static partial class PrintedCommands
{
    private static readonly string[] Programs = ["kubectl", "curl"];

    /// <summary>The `sh` blocks below a heading of a Markdown document.</summary>
    public static IReadOnlyList<string> OfMarkdown(string text, string heading)
    {
        var section = text.Split("\n## ").Single(one => one.StartsWith(heading + "\n", StringComparison.Ordinal));
        return [.. Block().Matches(section).Select(block => block.Groups["lines"].Value)];
    }

    /// <summary>The paragraphs of a plain text that begin with one of the programs that such texts have people run.</summary>
    public static IReadOnlyList<string> OfText(string text) =>
        [.. text.ReplaceLineEndings("\n").Split("\n\n").Select(paragraph => paragraph.Trim('\n') + "\n").Where(paragraph => Programs.Contains(paragraph.Split(' ')[0]))];

    /// <summary>The indented lines below a line of a program's output, up to one that is neither indented nor empty.</summary>
    public static IReadOnlyList<string> OfOutput(string output, string above) =>
        [.. output.ReplaceLineEndings("\n").Split('\n').SkipWhile(line => line != above).Skip(1).SkipWhile(line => line.Length == 0).TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Trim())];

    /// <summary>Has a shell run lines in a directory, as they are; it ends with the first that fails.</summary>
    public static Task<Command> RunAsync(string lines, string directory, IReadOnlyDictionary<string, string> environment, TimeSpan timeout, CancellationToken cancel) =>
        Command.RunAsync("/bin/sh", ["-e", "-c", $"cd \"$0\"\n{lines}", directory], timeout, environment, cancel: cancel);

    [GeneratedRegex("```sh\n(?<lines>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
