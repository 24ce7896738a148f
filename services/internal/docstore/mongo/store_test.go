package mongo_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/docstoretest"
	"github.com/weftline/weftline/services/internal/docstore/mongo"
)

// TestConformanceOnRealMongoDB runs against the replica set in WEFTLINE_TEST_MONGODB_URI.
func TestConformanceOnRealMongoDB(t *testing.T) {
	t.Parallel()
	uri := os.Getenv("WEFTLINE_TEST_MONGODB_URI")
	if uri == "" {
		t.Skip("WEFTLINE_TEST_MONGODB_URI is not set: the MongoDB engine was not run against a real MongoDB")
	}
	client, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	open := func(t *testing.T) docstore.Store {
		name := "weftline_test_" + strings.ToLower(rand.Text()[:12])
		s, err := mongo.Open(t.Context(), uri, mongo.Options{Database: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := client.Database(name).Drop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	docstoretest.Run(t, open, docstoretest.Features{Concurrent: true, Unique: true})
}

func TestOpenNamesNoSecrets(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"mongodb://app:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=50", "mongodb://app:hunter2@", "postgres://app:hunter2@x"} {
		_, err := mongo.Open(t.Context(), uri, mongo.Options{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error = %v", err)
		}
	}
}
