using System.Text;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.Core.Security;
using Kv.Fuzz.Running;
using Kv.Wire.Access;
using Kv.Wire.Riak;
using Kv.Wire.Riak.Http;
using Microsoft.AspNetCore.Http;

namespace Kv.Fuzz.Targets;

/// <summary>What paths, headers and query parameters of Riak's HTTP hold: each input as each of them.</summary>
internal sealed class HttpTextTarget : FuzzTarget
{
    public override string Name => "http-text";

    /// <summary>A header may be read as a thousand, and path segments become arrays and texts.</summary>
    public override long BytesPerByte => 2048;

    public override IReadOnlyList<string> Words =>
        ["/types/", "/buckets/", "/keys/", "/riak/", "/index/", "/counters/", "/datatypes/", "/props", "/preflist/", "%2f", "%00", "%c3%a9", "%", "riaktag=\"", "rel=\"up\"", "q=0.5", "text/plain", "*/*", "Basic ", "::/0", "/32", ", ", ";", "\"", "<", ">", "_,_,1"];

    public override IEnumerable<byte[]> Seeds => Samples.Texts(
        "/types/t/buckets/b/keys/k%2Fv?r=quorum&timeout=5", "/riak/b/k/b,tag,1/_,_,_", "http://host/buckets/b/index/age_int/1/20?return_terms=true", "/types/t/buckets/b/datatypes/k", "/buckets/b/counters/k",
        "</buckets/b/keys/k%201>; riaktag=\"frie\\nd\", </riak/b/k>; riaktag=\"\", </buckets/b>; rel=\"up\"", "multipart/mixed;q=0.9, text/*;q=0.1, */*", "Basic dXNlcjpwYXNz", "10.0.0.0/8", "2001:db8::/32",
        "text/plain; charset=\"utf-8\"; x=y", "quorum", "0011223344556677", "b,tag,1");

    public override void Take(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        _ = RiakPath.TryParse(text, out _);
        Percent(text);
        Links(text);
        Metadata(text);
        _ = AcceptHeader.QualityOf(text, "text/plain", out _);
        _ = BasicCredentials.Read(text);
        _ = CidrBlock.TryParse(text, out _);
        _ = QuorumValue.TryParse(text, out _);
        _ = NodeId.TryParse(text, out _);
        _ = LinkStep.Parse(text, isLast: false);
    }

    private static void Percent(string text)
    {
        if (PercentEncoding.TryDecode(text, out var bytes))
        {
            FuzzFailure.Unless(PercentEncoding.TryDecode(PercentEncoding.Encode(bytes), out var again) && again.AsSpan().SequenceEqual(bytes), "percent-encoding does not come back");
        }
    }

    private static void Links(string text)
    {
        if (!LinkHeader.TryRead(text, out var links))
        {
            return;
        }

        var path = new RiakPath(RiakResource.Object, RiakPathForm.Untyped, ObjectKey.DefaultType, [(byte)'b'], [(byte)'k']);
        var written = LinkHeader.Write(path, links);
        FuzzFailure.Unless(LinkHeader.TryRead(written, out var again), $"links that were written are none: {written}");
        FuzzFailure.Unless(links.SequenceEqual(again), $"links differ once they are written and read: {written}");
    }


    private static void Metadata(string text)
    {
        var request = new DefaultHttpContext().Request;
        request.ContentType = text;
        request.Headers["x-riak-index-name_bin"] = text;
        request.Headers["x-riak-meta-name"] = text;
        request.Headers[RiakHeaders.VClock] = text;
        _ = RiakHeaders.ReadMetadata(request, out _);
        _ = RiakHeaders.ReadContext(request.Headers, RiakHeaders.VClock, out _);
    }
}
