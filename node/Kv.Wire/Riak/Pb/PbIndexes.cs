using System.Globalization;
using System.Text;
using Google.Protobuf;
using Kv.Cluster;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// Queries of secondary indexes (riak_kv_pb_index; reference 8.3): one message, bounded as a message is, or a stream that is sent page by page as fast as its client takes it. A stream that
/// fails ends with an error in the place of its last message.
/// </summary>
internal sealed class PbIndexes(KvClient client, RiakPbOptions options)
{
    public async ValueTask<PbReply> QueryAsync(RpbIndexReq message, PbOutput output)
    {
        var fields = new PbFields();
        var query = QueryOf(message, ref fields);
        if (fields.Fault is { } fault)
        {
            return PbReply.Error(fault);
        }

        try
        {
            var pages = client.QueryIndexAsync(query, output.Gone);
            var isWithTerms = message.ReturnTerms && query.IsRange;
            return message.Stream ? await StreamAsync(pages, output, isWithTerms, query.IsOfKeys) : await GatherAsync(pages, isWithTerms, query.IsOfKeys);
        }
        catch (ListingFailedException failure)
        {
            return PbReply.Error(PbErrors.Of(failure.Error));
        }
    }

    private static IndexQuery QueryOf(RpbIndexReq message, ref PbFields fields)
    {
        if (message.Bucket.IsEmpty)
        {
            fields.Refuse(PbErrors.EmptyBucket);
        }

        if (message.Index.IsEmpty)
        {
            fields.Refuse(PbErrors.EmptyIndex);
        }

        if (message.ReturnBody)
        {
            fields.Refuse(PbErrors.NoIndexBodies);
        }

        if (message.HasMaxResults && message.MaxResults is 0 or > int.MaxValue)
        {
            fields.Refuse(string.Create(CultureInfo.InvariantCulture, $"Invalid \"max_results\". {message.MaxResults} is not a positive integer"));
        }

        var isRange = message.Qtype == RpbIndexReq.Types.IndexQueryType.Range;
        return new IndexQuery(
            new BucketName(fields.BucketType(message.HasType, message.Type), message.Bucket.Memory),
            fields.Text(message.Index, "the index").ToLowerInvariant(),
            (isRange ? message.RangeMin : message.Key).Memory,
            isRange ? (ReadOnlyMemory<byte>?)message.RangeMax.Memory : null) // a bare null would become an empty value
        {
            MaxResults = message.HasMaxResults ? (int)message.MaxResults : null,
            Continuation = message.HasContinuation ? fields.Text(message.Continuation, "the continuation") : null,
            TermRegex = message.HasTermRegex ? fields.Text(message.TermRegex, "the term regular expression") : null,
            Timeout = PbFields.Timeout(message.Timeout),
        };
    }

    private static async ValueTask<PbReply> StreamAsync(IAsyncEnumerable<IndexPage> pages, PbOutput output, bool isWithTerms, bool isOfKeys)
    {
        var last = new RpbIndexResp { Done = true };
        await foreach (var page in pages)
        {
            var message = new RpbIndexResp();
            Add(message, page, isWithTerms, isOfKeys);
            if (page.Matches.Count > 0)
            {
                await output.WriteAsync(new PbReply(PbCode.IndexResp, message));
            }

            SetContinuation(last, page);
        }

        return new PbReply(PbCode.IndexResp, last);
    }

    private async ValueTask<PbReply> GatherAsync(IAsyncEnumerable<IndexPage> pages, bool isWithTerms, bool isOfKeys)
    {
        var all = new RpbIndexResp();
        var bytes = 0L;
        await foreach (var page in pages)
        {
            Add(all, page, isWithTerms, isOfKeys);
            SetContinuation(all, page);
            bytes += page.Matches.Sum(match => match.Key.Length + (isWithTerms ? match.Term.Length : 0) + (2L * PbFrame.HeaderBytes));
            if (bytes > options.MaxFrameBytes)
            {
                return PbReply.Error(string.Create(
                    CultureInfo.InvariantCulture, $"more results than a message of {options.MaxFrameBytes} bytes holds: ask for a stream, or for pages by max_results"));
            }
        }

        return new PbReply(PbCode.IndexResp, all);
    }

    private static void Add(RpbIndexResp message, IndexPage page, bool isWithTerms, bool isOfKeys)
    {
        foreach (var (term, key) in page.Matches)
        {
            if (isWithTerms)
            {
                message.Results.Add(new RpbPair { Key = isOfKeys ? PbFields.Wrap(key) : ByteString.CopyFromUtf8(term), Value = PbFields.Wrap(key) });
            }
            else
            {
                message.Keys.Add(PbFields.Wrap(key));
            }
        }
    }

    private static void SetContinuation(RpbIndexResp message, IndexPage page)
    {
        if (page.Continuation is { } continuation)
        {
            message.Continuation = ByteString.CopyFrom(continuation, Encoding.ASCII);
        }
    }
}
