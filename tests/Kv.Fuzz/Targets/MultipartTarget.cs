using System.Text;
using Google.Protobuf;
using Kv.Fuzz.Doors;
using Kv.Fuzz.Running;
using Kv.Protos.Riak;
using Kv.Wire.Riak.Pb;
using Microsoft.AspNetCore.WebUtilities;

namespace Kv.Fuzz.Targets;

/// <summary>
/// Siblings as a multipart body: an object's content, with whatever Protocol Buffers let into its value and metadata, beside another, read by HTTP and taken apart by
/// ASP.NET's reader. What was put must come out, and nothing else.
/// </summary>
internal sealed class MultipartTarget : RiakTarget
{
    private const string Boundary = "boundary=";

    private int keys;

    public override string Name => "multipart";

    public override IReadOnlyList<string> Words => ["\r\n", "\r\n\r\n", "\r\n--", "--", "Content-Type: ", "X-Riak-Deleted: true", "boundary="];

    public override IEnumerable<byte[]> Seeds =>
        [.. new[] { PbSamples.Content("v"), PbSamples.Content("a\r\n--boundary--\r\n"), new RpbContent { Value = ByteString.Empty }, new RpbContent { Value = ByteString.CopyFromUtf8("\r\n"), ContentType = ByteString.CopyFromUtf8("a/b\r\nX: y") } }.Select(content => content.ToByteArray())];

    protected override async Task TakeAsync(RiakNode riak, byte[] input)
    {
        RpbContent content;
        try
        {
            content = RpbContent.Parser.ParseFrom(input);
        }
        catch (InvalidProtocolBufferException)
        {
            return;
        }

        var key = $"k{keys++}";
        PbFramesTarget.CheckFrames(await riak.AskPbAsync((byte[])[.. Put(key, content), .. Put(key, new RpbContent { Value = ByteString.CopyFromUtf8("other") })]));
        var answer = await riak.AskHttpAsync(Encoding.ASCII.GetBytes($"GET /types/siblings/buckets/parts/keys/{key} HTTP/1.0\r\nAccept: multipart/mixed, */*;q=0.1\r\n\r\n"));
        var end = answer.AsSpan().IndexOf("\r\n\r\n"u8);
        FuzzFailure.Unless(end > 0, "there is no answer");
        var head = Encoding.Latin1.GetString(answer, 0, end);
        if (head.Contains(" 300 ", StringComparison.Ordinal))
        {
            await CheckAsync(head, answer[(end + 4)..], content);
        }
        else
        {
            // The first was refused, and the other stands alone; or it is deleted.
            FuzzFailure.Unless(head.Contains(" 200 ", StringComparison.Ordinal) && answer.AsSpan(end + 4).SequenceEqual("other"u8), head);
        }
    }

    private static async Task CheckAsync(string head, byte[] body, RpbContent content)
    {
        var line = head.Split("\r\n").Single(line => line.StartsWith("Content-Type: multipart/mixed", StringComparison.Ordinal));
        var reader = new MultipartReader(line[(line.IndexOf(Boundary, StringComparison.Ordinal) + Boundary.Length)..], new MemoryStream(body))
        {
            HeadersCountLimit = int.MaxValue,
            HeadersLengthLimit = int.MaxValue,
        };
        var values = new List<byte[]>();
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            using var value = new MemoryStream();
            await section.Body.CopyToAsync(value);
            values.Add(value.ToArray());
            FuzzFailure.Unless(section.Headers?.ContainsKey("Etag") == true, "a part has no headers of an object");
        }

        FuzzFailure.Unless(values.Count == 2, $"two siblings became {values.Count} parts");
        FuzzFailure.Unless(values.Exists(value => value.AsSpan().SequenceEqual(content.Value.Span)), "a value did not come back");
        FuzzFailure.Unless(values.Exists(value => value.AsSpan().SequenceEqual("other"u8)), "the other value did not come back");
    }

    private static byte[] Put(string key, RpbContent content) =>
        PbSamples.Frame((PbCode.PutReq, new RpbPutReq { Bucket = ByteString.CopyFromUtf8("parts"), Key = ByteString.CopyFromUtf8(key), Type = ByteString.CopyFromUtf8("siblings"), Content = content }));
}
