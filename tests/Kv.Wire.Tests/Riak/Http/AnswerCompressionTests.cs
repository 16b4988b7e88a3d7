using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Kv.Wire.Riak.Http;
using Xunit;

namespace Kv.Wire.Tests.Riak.Http;

/// <summary>Answers in gzip, for clients that ask for it and no others.</summary>
public sealed class AnswerCompressionTests(RiakServer server) : IClassFixture<RiakServer>
{
    private const string Text = "Content-Type: text/plain";
    private const string Gzip = "Accept-Encoding: gzip";
    private static readonly string Long = string.Concat(Enumerable.Repeat("a line of text\n", 1000));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate, gzip;q=0.5")]
    [InlineData("*")]
    public async Task AValue_ComesPacked_WithItsHeaders(string accepted)
    {
        await PutAsync("/buckets/z/keys/long", Text, Long);
        using var plain = await server.SendAsync("GET", "/buckets/z/keys/long");
        using var packed = await server.SendAsync("GET", "/buckets/z/keys/long", $"Accept-Encoding: {accepted}");
        Assert.Equal(["gzip"], packed.Content.Headers.ContentEncoding);
        Assert.Equal(Long, await UnpackedAsync(packed));
        Assert.True(packed.Content.Headers.ContentLength is null or < 1000);
        foreach (var header in new[] { "X-Riak-Vclock", "ETag", "Link", "Vary" })
        {
            Assert.Equal(plain.Headers.GetValues(header), packed.Headers.GetValues(header));
        }

        Assert.Equal(["Accept-Encoding"], packed.Headers.Vary);
        Assert.Equal("text/plain", packed.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("Accept-Encoding: identity")]
    [InlineData("Accept-Encoding: gzip;q=0")]
    [InlineData("Accept-Encoding: br")]
    public async Task WithoutTheWord_ItComesAsItIs(string headers)
    {
        await PutAsync("/buckets/z/keys/long", Text, Long);
        using var answer = await server.SendAsync("GET", "/buckets/z/keys/long", headers);
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        Assert.Equal(Long, await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task AValueThatIsStoredEncoded_IsNotEncodedAgain()
    {
        await PutAsync("/buckets/z/keys/own", Text + "\nContent-Encoding: deflate", Long);
        using var answer = await server.SendAsync("GET", "/buckets/z/keys/own", Gzip);
        Assert.Equal(["deflate"], answer.Content.Headers.ContentEncoding);
        Assert.Equal(Long, await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task AShortValue_AndAnError_ComeAsTheyAre()
    {
        using var shortOne = await server.SendAsync("GET", "/buckets/seed/keys/plain", Gzip);
        Assert.Equal(("hello", 5L), (await shortOne.Content.ReadAsStringAsync(Cancel), shortOne.Content.Headers.ContentLength));
        using var missing = await server.SendAsync("GET", "/buckets/seed/keys/nothing", Gzip);
        Assert.Equal((404, "not found\n"), ((int)missing.StatusCode, await missing.Content.ReadAsStringAsync(Cancel)));
    }

    [Fact]
    public async Task SiblingsAndListings_ComePacked()
    {
        await PutAsync("/types/siblings/buckets/z/keys/both", Text, Long);
        await PutAsync("/types/siblings/buckets/z/keys/both", Text, Long);
        using var siblings = await server.SendAsync("GET", "/types/siblings/buckets/z/keys/both", Gzip + "\nAccept: multipart/mixed");
        Assert.Equal(["gzip"], siblings.Content.Headers.ContentEncoding);
        var parts = MultipartParser.Parse(siblings.Content.Headers.ContentType!.ToString(), Encoding.Latin1.GetBytes(await UnpackedAsync(siblings)));
        Assert.Equal([Long, Long], parts.Select(part => part.Body));

        using var listing = await server.SendAsync("GET", "/types/siblings/buckets/z/keys?keys=stream", Gzip);
        Assert.Equal(["gzip"], listing.Content.Headers.ContentEncoding);
        Assert.Contains("\"both\"", await UnpackedAsync(listing), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/buckets/z/keys/long")]
    [InlineData("/types/siblings/buckets/z/keys/several")]
    public async Task Head_HasTheLengthOfWhatIsNotPacked(string path)
    {
        await PutAsync(path, Text, Long);
        using var plain = await server.SendAsync("HEAD", path);
        using var asked = await server.SendAsync("HEAD", path, Gzip);
        Assert.Equal(Long.Length, plain.Content.Headers.ContentLength);
        Assert.Equal(Long.Length, asked.Content.Headers.ContentLength);
        Assert.Empty(asked.Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task HeadOfSiblingsTags_HasTheLengthOfTheText()
    {
        const string Path = "/types/siblings/buckets/z/keys/tags";
        for (var sibling = 0; sibling < 60; sibling++)
        {
            await PutAsync(Path, Text, "v");
        }

        using var get = await server.SendAsync("GET", Path);
        using var head = await server.SendAsync("HEAD", Path, Gzip);
        var length = get.Content.Headers.ContentLength;
        Assert.True(length > 1024);
        Assert.Equal(length, head.Content.Headers.ContentLength);
        Assert.Empty(head.Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task WhatWasNotModified_SaysNothingOfAnEncoding()
    {
        await PutAsync("/buckets/z/keys/same", Text, Long);
        using var first = await server.SendAsync("GET", "/buckets/z/keys/same", Gzip);
        using var again = await server.SendAsync("GET", "/buckets/z/keys/same", $"{Gzip}\nIf-None-Match: {first.Headers.ETag}");
        Assert.Equal((304, ""), ((int)again.StatusCode, await again.Content.ReadAsStringAsync(Cancel)));
        Assert.Empty(again.Content.Headers.ContentEncoding);
        Assert.Equal(first.Headers.ETag, again.Headers.ETag);
    }

    [Fact]
    public async Task PastTheBound_AnswersGoAsTheyAre_AndPlacesComeBack()
    {
        await using var own = new RiakServer { Options = new RiakHttpOptions { MaxPacked = 1 } };
        await own.InitializeAsync();
        await PutAsync(own, "/buckets/z/keys/long", Text, Encoding.ASCII.GetBytes(Long));

        // More than sockets hold, packed too: it is on its way until somebody reads it.
        await PutAsync(own, "/buckets/z/keys/huge", Text, RandomNumberGenerator.GetBytes(32 * 1024 * 1024));
        using (var request = new HttpRequestMessage(HttpMethod.Get, $"http://{own.EndPoint}/buckets/z/keys/huge"))
        {
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
            using var held = await own.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
            Assert.Equal(["gzip"], held.Content.Headers.ContentEncoding);
            using var other = await own.SendAsync("GET", "/buckets/z/keys/long", Gzip);
            Assert.Empty(other.Content.Headers.ContentEncoding);
            Assert.Equal(Long, await other.Content.ReadAsStringAsync(Cancel));
        }

        while (true)
        {
            using var after = await own.SendAsync("GET", "/buckets/z/keys/long", Gzip);
            if (after.Content.Headers.ContentEncoding.Count > 0)
            {
                Assert.Equal(Long, await UnpackedAsync(after));
                break;
            }

            await Task.Delay(10, Cancel);
        }
    }

    private static async Task<string> UnpackedAsync(HttpResponseMessage answer)
    {
        await using var unpacking = new GZipStream(await answer.Content.ReadAsStreamAsync(Cancel), CompressionMode.Decompress);
        using var reader = new StreamReader(unpacking);
        return await reader.ReadToEndAsync(Cancel);
    }

    private Task PutAsync(string path, string headers, string body) => PutAsync(server, path, headers, Encoding.UTF8.GetBytes(body));

    private static async Task PutAsync(RiakServer server, string path, string headers, byte[] body)
    {
        using var answer = await server.SendAsync("PUT", path, headers, body);
        Assert.Equal(204, (int)answer.StatusCode);
    }
}
