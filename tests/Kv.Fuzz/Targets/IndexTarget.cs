using System.Text;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Fuzz.Running;

namespace Kv.Fuzz.Targets;

/// <summary>Queries of indexes with their continuations and patterns, and entries as the store gives them. Lines: field, first term, last term, pattern, continuation, entry.</summary>
internal sealed class IndexTarget : FuzzTarget
{
    private static readonly BucketName Bucket = new("t", "b"u8.ToArray());

    public override string Name => "index";

    /// <summary>Patterns are compiled.</summary>
    public override long FixedBytes => 64 * 1024 * 1024;

    public override long BytesPerByte => 64 * 1024;

    /// <summary>A longer pattern is none.</summary>
    public override int MostBytes => 2048;

    public override IReadOnlyList<string> Words => ["_bin", "_int", "$key", "$bucket", "\n", "AWEA", "(a|b){1,100}", "\\p{L}", "[^a-z]", "(?i)", "(?=a)", "\\b"];

    public override IEnumerable<byte[]> Seeds => Samples.Texts(
        "name_bin\na\nz\n^[a-m]+$\nAWEAAGs\na\0\0k", "age_int\n-5\n10000000000\n\n\n\u0080\u0001\u0005k", "$key\na\nz\nk.*\nAWs\nk", "$bucket\n\n\n\n\nk", "x_bin\né");

    public override void Take(byte[] input)
    {
        var lines = Lines(input);
        var (field, pattern, continuation) = (Text(lines[0]), Text(lines[3]), Text(lines[4]));
        var query = new IndexQuery(Bucket, field, lines[1], lines[2].Length == 0 ? null : (ReadOnlyMemory<byte>?)lines[2])
        {
            TermRegex = pattern.Length == 0 ? null : pattern,
            Continuation = continuation.Length == 0 ? null : continuation,
        };
        if (!IndexRange.TryCreate(query, out var range, out var problem))
        {
            FuzzFailure.Unless(problem is not null, "it is neither read nor refused");
            return;
        }

        byte[] entry = [.. range.From.Span[..Math.Min(range.TermAt, range.From.Length)], .. lines[5]];
        var term = IndexRange.TermOf(range.Space, entry, range.TermAt);
        if (range.MatchOf(entry) is not null && lines[5].Length > 0)
        {
            var next = query with { Continuation = range.ContinuationAfter(entry) };
            FuzzFailure.Unless(IndexRange.TryCreate(next, out _, out var why), $"its own continuation is refused: {why}");
        }

        if (query.TermRegex is { } regex && TermPattern.TryCreate(regex) is { } matcher)
        {
            _ = matcher.IsMatch(term ?? field);
        }
    }

    private static byte[][] Lines(byte[] input)
    {
        var lines = new List<byte[]>();
        for (var from = 0; lines.Count < 6;)
        {
            var length = input.AsSpan(from).IndexOf((byte)'\n');
            var end = length < 0 || lines.Count == 5 ? input.Length : from + length;
            lines.Add(input[from..end]);
            from = Math.Min(end + 1, input.Length);
        }

        return [.. lines];
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
